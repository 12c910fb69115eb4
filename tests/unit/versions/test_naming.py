"""What deployments are called by a policy, and what their names say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.versions import ModelVersion
from changeover.versions.naming import NAME_CHARACTERS_MAX, NamePolicy, PolicyError
from changeover.versions.sku import capacity_words

POLICY = NamePolicy()


def model(text: str) -> ModelVersion:
    name, _, version = text.partition(" ")
    return ModelVersion(name=name, version=version)


@pytest.mark.parametrize(
    ("pattern", "version", "name"),
    [
        ("{model}-{env}-v{mmdd}", "gpt-4o 2024-11-20", "gpt4o-prod-v1120"),
        ("{model}-{env}-v{mmdd}", "gpt-4o-mini 2024-07-18", "gpt4omini-prod-v0718"),
        ("{model}-{env}-v{mmdd}", "gpt-5.1 2025-11-13", "gpt51-prod-v1113"),
        ("{model}-{env}-v{mmdd}", "gpt-4 0613", "gpt4-prod-v0613"),
        ("{model}-{env}-v{mmdd}", "gpt-4 turbo-2024-04-09", "gpt4-prod-v0409"),
        ("{env}.{model}_{yyyymmdd}", "gpt-4o 2024-11-20", "prod.gpt4o_20241120"),
        ("{model}-{yymmdd}", "gpt-4o 2024-11-20", "gpt4o-241120"),
        ("{model}-{version}", "gpt-4 turbo-2024-04-09", "gpt4-turbo20240409"),
        ("{model}-{yyyymmdd}", "text-embedding-3-small 1", "textembedding3small-1"),
    ],
)
def test_a_policy_names_a_version(pattern: str, version: str, name: str) -> None:
    assert NamePolicy(pattern).render(model(version), "prod") == name


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("gpt4o-prod-v1120", None),
        ("GPT4o-prod-v1120", None),
        ("gpt-4o", "version-missing"),
        ("chat", "version-missing"),
        ("gpt-4o-4096", "version-missing"),
        ("gpt4o-prod-v0513", "version-other"),
        ("gpt-4o-2024-05-13", "version-other"),
        ("gpt-4o-2024-11-20", "off-policy"),
        ("gpt4o-v1120", "off-policy"),
    ],
)
def test_a_name_is_told_from_one_that_says_no_version_or_another(name: str, kind: str | None) -> None:
    found = POLICY.misnamed(name, model("gpt-4o 2024-11-20"), "prod")
    assert (found and found.kind) == kind
    assert found is None or found.better == "gpt4o-prod-v1120"


def test_a_version_that_is_no_date_counts_when_it_stands_by_itself() -> None:
    assert POLICY.misnamed("embed-v1", model("text-embedding-3-small 1"), "prod") == ("off-policy", "textembedding3small-prod-v1")
    assert POLICY.misnamed("text-embedding-3-small", model("text-embedding-3-small 1"), "prod") == (
        "version-missing",
        "textembedding3small-prod-v1",
    )


@pytest.mark.parametrize(
    "pattern", ["gpt4o", "{model}", "{model}-{env}", "{model}-{mmdd}-{colour}", "{model}/{mmdd}", "-{model}{mmdd}", "{model}{mmdd"]
)
def test_a_pattern_that_names_nothing_or_tells_no_versions_apart_is_refused(pattern: str) -> None:
    with pytest.raises(PolicyError, match="expected"):
        NamePolicy(pattern)


@given(
    st.from_regex(r"[a-z]{2,8}(-[0-9a-z.]{1,6})?", fullmatch=True),
    st.dates().map(lambda day: day.isoformat()) | st.from_regex(r"[0-9]{1,4}", fullmatch=True),
    st.sampled_from(["{model}-{env}-v{mmdd}", "{model}-{yyyymmdd}", "{env}-{model}-{version}", "{model}.{yymmdd}"]),
)
def test_what_a_policy_names_it_reads_and_finds_nothing_wrong_with(name: str, version: str, pattern: str) -> None:
    policy, pinned = NamePolicy(pattern), ModelVersion(name=name, version=version)
    rendered = policy.render(pinned, "prod")
    read = policy.read(rendered)
    assert read is not None
    assert len(rendered) <= NAME_CHARACTERS_MAX
    assert policy.misnamed(rendered, pinned, "prod") is None


@pytest.mark.parametrize(
    ("sku", "capacity", "words"),
    [
        ("Standard", 50, "50 = 50,000 TPM"),
        ("GlobalStandard", 1, "1 = 1,000 TPM"),
        ("GlobalProvisionedManaged", 1500, "1,500 PTU"),
        ("DataZoneBatch", 20, "20 batch units"),
        ("Standard", None, "capacity not said"),
    ],
)
def test_a_capacity_says_what_it_counts(sku: str, capacity: int | None, words: str) -> None:
    assert capacity_words(sku, capacity) == words
