"""Whatever text comes, reading it either works or names its faults."""

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from changeover.settings.declared import Declared, SettingsError
from changeover.settings.file import parse
from changeover.settings.shape import FileShape
from changeover.settings.shape_accounts import AccountShape, AuthShape
from changeover.settings.shape_base import Shape
from changeover.settings.shape_criteria import CriteriaShape, QualityShape
from changeover.settings.shape_deployments import DeploymentShape
from changeover.settings.shape_evidence import EvidenceShape
from changeover.settings.shape_rollouts import AnalysisShape, RolloutShape, StepShape
from changeover.settings.shape_tasks import TaskShape
from tests.unit.settings.files import SMALLEST

QUICK = settings(max_examples=100, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
SHAPES: list[type[Shape]] = [
    AccountShape,
    AnalysisShape,
    AuthShape,
    CriteriaShape,
    DeploymentShape,
    EvidenceShape,
    FileShape,
    QualityShape,
    RolloutShape,
    StepShape,
    TaskShape,
]
KEYS = st.sampled_from(
    sorted({key for shape in SHAPES for key in (*shape.model_fields, *shape.LATER)} | {"old", "new", "email", "aoai", "<<"})
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.dates(),
    st.sampled_from(["old", "new", "email", "aoai", "30m", "0s", "pass", "scores/a", "canary", "https://a.b", "azure-openai", 10**400]),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12)
SECTIONS = st.dictionaries(st.sampled_from([*FileShape.model_fields, *FileShape.LATER, "odd"]), VALUES, max_size=6)


def outcome(text: str) -> Declared | None:
    """What is declared; ``None`` when it was refused with faults that say where, what and what else."""
    try:
        return parse(text)
    except SettingsError as error:
        faults = error.faults
    assert faults
    assert all(fault.path and fault.found and fault.expected for fault in faults)
    assert len({fault.path for fault in faults}) == len(faults)
    return None


@QUICK
@given(st.text())
@example("\ud800")
@example("!!python/object:os.system {}")
@example("a: !!timestamp x\nb: !!binary ñ\nc: !!float x\nd: !!bool x\ne: !!int ''\nf: !!null x")
@example("? a\n? b")
@example("%YAML 9.9\n---\na: 1")
@example("a: 1:2:3\nb: 0b_\nc: 0x_\nd: -_\ne: 1__0.5e+9999")
def test_any_text_is_read_or_refused(text: str) -> None:
    outcome(text)


@QUICK
@given(SECTIONS)
def test_any_values_under_known_keys_are_read_or_refused(sections: dict[str, object]) -> None:
    outcome(yaml.safe_dump(sections, allow_unicode=True))


@QUICK
@given(st.dictionaries(st.sampled_from(["criteria", "evidence", "gateway", "rollouts"]), VALUES, max_size=3), VALUES)
def test_a_good_file_with_anything_added_is_read_or_refused(sections: dict[str, object], task: object) -> None:
    good = yaml.safe_load(SMALLEST)
    outcome(yaml.safe_dump({**good, **sections, "tasks": {"email": task}}))


@QUICK
@given(st.integers(0, len(SMALLEST)), st.integers(0, 12), st.text(alphabet=" \n:{}[]&*!|>'\"%@`-#,?0a", max_size=4))
def test_a_good_file_with_a_slip_of_the_pen_is_read_or_refused(at: int, gone: int, added: str) -> None:
    outcome(SMALLEST[:at] + added + SMALLEST[at + gone :])


@QUICK
@given(st.sampled_from([5, 10, 25, 50, 60, 95]), st.sampled_from(["no_harm", "pass"]), st.sampled_from([30, 90, 99.9]))
def test_sound_files_are_read(first: int, require: str, second: float) -> None:
    """The walk above would be worth little if nothing were ever read."""
    steps = [{"weight": first}, {"analysis": {"require": require}}, {"weight": second}, {"analysis": {"require": "pass"}}, {"weight": 100}]
    good = yaml.safe_load(SMALLEST)
    declared = outcome(yaml.safe_dump({**good, "rollouts": {"up": {"task": "email", "candidate": "new", "steps": steps}}}))
    assert (declared is not None) == (first < second)
