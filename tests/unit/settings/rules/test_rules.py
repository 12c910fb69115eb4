"""What every rule finds, and what it leaves alone."""

import pytest

from changeover.settings.rules.book import BY_ID, RULES
from changeover.settings.rules.checking import check_faults
from changeover.settings.rules.facts import Facts, ReadBack
from changeover.versions import PINNED
from tests.unit.settings.files import faults_of
from tests.unit.settings.rules.checked import FACTS, LISTED, SOUND, TODAY, found_in, report_of, with_deployment

DAY_S = 86_400.0
ROLLOUT = "rollouts: {{up: {{task: email, candidate: {candidate}}}}}\n"
PINS = {name: ReadBack(upgrade=PINNED) for name in ("gpt51-prod-v1113", "gpt4o-prod-v1120")}


def asked_of_azure(**said: ReadBack) -> Facts:
    return FACTS._replace(azure=PINS | {name.replace("_", "-"): each for name, each in said.items()})


def test_ids_stand_once_and_are_in_order() -> None:
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))
    assert list(BY_ID) == ids


def test_a_sound_file_has_no_finding_and_says_what_was_not_asked() -> None:
    report = report_of(SOUND)
    assert report.findings == ()
    assert [(each.rule, each.path) for each in report.not_asked] == [("CO102", ""), ("CO206", "tasks.email"), ("CO301", "")]


@pytest.mark.parametrize("option", ["OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired"])
def test_any_option_but_the_pin_is_an_error_in_production_only(option: str) -> None:
    text = with_deployment(f"gpt4o-prod-v0513: {{model: gpt-4o, version: '2024-05-13', upgrade: {option}}}")
    assert found_in(text) == [("CO101", "error", "deployments.gpt4o-prod-v0513.upgrade")]
    dev = with_deployment(f"gpt4o-dev-v0513: {{model: gpt-4o, version: '2024-05-13', upgrade: {option}, environment: dev}}")
    assert found_in(dev) == []


def test_what_azure_says_counts_more_than_what_the_file_declares() -> None:
    facts = asked_of_azure(gpt51_prod_v1113=ReadBack(upgrade="OnceCurrentVersionExpired"), gpt4o_prod_v1120=ReadBack(upgrade=None))
    assert found_in(SOUND, facts) == [
        ("CO101", "error", "deployments.gpt51-prod-v1113.upgrade"),
        ("CO102", "error", "deployments.gpt4o-prod-v1120.upgrade"),
    ]
    assert found_in(SOUND, asked_of_azure()) == []


def test_what_azure_was_asked_for_and_did_not_tell_is_unpinned() -> None:
    """Unknown is unpinned: an account that does not say where it is, a deployment that is not there."""
    found = report_of(SOUND, FACTS._replace(azure={"gpt51-prod-v1113": ReadBack(upgrade=PINNED)})).findings
    assert [(each.rule, each.path) for each in found] == [("CO102", "deployments.gpt4o-prod-v1120.upgrade")]
    assert "subscription" in found[0].remedy


def test_what_somebody_else_makes_is_theirs_to_pin() -> None:
    text = SOUND.replace("sku: Standard", "observed: true, sku: Standard", 1)
    found = report_of(text, asked_of_azure(gpt51_prod_v1113=ReadBack(upgrade=None))).findings
    assert [each.rule for each in found] == ["CO102"]
    assert "whoever makes it" in found[0].remedy
    assert "apply" not in found[0].remedy


def test_only_azure_is_asked_about_its_pins() -> None:
    text = SOUND.replace("{kind: azure-openai, endpoint: https://aoai.openai.azure.com}", "{kind: openai}")
    assert not {"CO101", "CO102"} & {each.rule for each in report_of(text).not_asked}
    assert "CO101" not in {
        rule for rule, _, _ in found_in(text.replace("capacity: 50}\ntasks", "upgrade: OnceCurrentVersionExpired}\ntasks"))
    }


@pytest.mark.parametrize(
    ("name", "rule", "level"),
    [("chat", "CO103", "warn"), ("gpt4o-prod", "CO103", "warn"), ("gpt4o-prod-v0806", "CO104", "error"), ("big-0513", "CO105", "warn")],
)
def test_names_are_read_against_the_version_and_the_policy(name: str, rule: str, level: str) -> None:
    text = with_deployment(f'{name}: {{model: gpt-4o, version: "2024-05-13"}}')
    assert found_in(text) == [(rule, level, f"deployments.{name}")]


def test_the_policy_is_the_files_own() -> None:
    text = SOUND + 'policy: {name: "{model}-{version}"}\n'
    assert [each[0] for each in found_in(text)] == ["CO105", "CO105"]
    named = text.replace("gpt51-prod-v1113", "gpt51-20251113").replace("gpt4o-prod-v1120", "gpt4o-20241120")
    assert found_in(named) == []


def test_in_azure_the_name_is_azures_own() -> None:
    text = with_deployment('gpt4o-prod-v0513: {model: gpt-4o, version: "2024-05-13", called: chat}')
    assert found_in(text) == [("CO103", "warn", "deployments.gpt4o-prod-v0513")]


def test_a_version_a_second_time_is_a_finding_unless_the_two_belong_together() -> None:
    twin = with_deployment('gpt4o-prod-v1120-2: {model: gpt-4o, version: "2024-11-20"}')
    assert ("CO106", "warn", "deployments.gpt4o-prod-v1120-2") in found_in(twin)
    standing_in = twin.replace("failover: [gpt4o-prod-v1120]", "failover: [gpt4o-prod-v1120, gpt4o-prod-v1120-2]")
    pool = SOUND.replace("tasks:\n", '  b: {model: gpt-5.1, version: "2025-11-13"}\ntasks:\n').replace(
        "stable: gpt51-prod-v1113", "stable: [gpt51-prod-v1113, b]"
    )
    other_settings = twin.replace('"2024-11-20"}', '"2024-11-20", request: {drop: [temperature]}}')
    moving = SOUND.replace("tasks:\n", '  b: {model: gpt-5.1, version: "2025-11-13"}\ntasks:\n') + ROLLOUT.format(candidate="b")
    assert not [rule for text in (standing_in, pool, other_settings, moving) for rule, _, _ in found_in(text) if rule == "CO106"]


def test_a_task_without_failover_is_a_finding_unless_it_is_dev() -> None:
    text = SOUND.replace(", failover: [gpt4o-prod-v1120]", "")
    assert found_in(text) == [("CO201", "warn", "tasks.email.failover")]
    assert "CO201" not in {rule for rule, _, _ in found_in(text.replace('"2025-11-13",', '"2025-11-13", environment: dev,'))}


def test_a_failover_that_is_on_trial_is_an_error() -> None:
    found = found_in(SOUND + ROLLOUT.format(candidate="gpt4o-prod-v1120"))
    assert ("CO202", "error", "tasks.email.failover[0]") in found


def test_a_criterion_without_a_source_is_told_once() -> None:
    report = report_of(SOUND.replace("criteria: {preset: none, errors: {}}\n", ""))
    assert [(each.rule, each.level, each.path) for each in report.findings] == [
        ("CO203", "warn", "tasks.email.criteria.quality"),
        ("CO203", "warn", "tasks.email.criteria.accuracy"),
    ]


def test_other_remarks_of_the_file_are_findings_too() -> None:
    text = with_deployment('gpt55-prod-v0424: {model: gpt-5.5, version: "2026-04-24", sku: GlobalStandard}')
    found = report_of(text + ROLLOUT.format(candidate="gpt55-prod-v0424")).findings
    assert [(each.rule, each.path) for each in found] == [("CO003", "rollouts.up")]
    assert "SKU" in found[0].found


@pytest.mark.parametrize(
    ("model", "version", "is_older"),
    [
        ("gpt-5.1", "2025-01-01", True),
        ("gpt-5.1", "2026-01-01", False),
        ("gpt-5.1", "1106-preview", False),
        ("gpt-4o", "2024-11-20", True),
        ("gpt-9", "2020-01-01", False),
    ],
)
def test_a_candidate_is_older_by_its_date_or_retires_before_the_stable(model: str, version: str, is_older: bool) -> None:
    text = with_deployment(f'new: {{model: {model}, version: "{version}", sku: Standard}}') + ROLLOUT.format(candidate="new")
    assert (("CO204", "warn", "rollouts.up.candidate") in found_in(text)) is is_older


def test_editions_that_are_counted_are_compared_as_numbers() -> None:
    text = SOUND.replace("gpt-5.1", "m").replace('"2025-11-13"', '"10"') + ROLLOUT.format(candidate="new")
    for version, is_older in (("9", True), ("11", False)):
        file = text.replace("tasks:\n", f'  new: {{model: m, version: "{version}"}}\ntasks:\n')
        assert (("CO204", "warn", "rollouts.up.candidate") in found_in(file)) is is_older


def test_a_content_filter_other_than_the_stables_is_a_finding_of_candidate_and_failover() -> None:
    text = SOUND.replace('"2025-11-13",', '"2025-11-13", content_filter: strict,')
    assert found_in(text) == [("CO205", "warn", "tasks.email.failover[0]")]
    trial = text.replace("tasks:\n", '  gpt55-prod-v0424: {model: gpt-5.5, version: "2026-04-24", sku: Standard}\ntasks:\n')
    found = found_in(trial + ROLLOUT.format(candidate="gpt55-prod-v0424"))
    assert found == [("CO205", "warn", "rollouts.up.candidate"), ("CO205", "warn", "tasks.email.failover[0]")]


def test_a_content_filter_that_azure_tells_of_counts_where_the_file_is_silent() -> None:
    text = SOUND.replace('"2025-11-13",', '"2025-11-13", content_filter: strict,')
    facts = asked_of_azure(gpt4o_prod_v1120=ReadBack(upgrade=PINNED, content_filter="strict"))
    assert found_in(text, facts) == []


def test_capacity_is_measured_against_the_peaks_of_all_tasks_that_share_it() -> None:
    text = SOUND.replace("tasks:\n", "tasks:\n  chat: {stable: gpt51-prod-v1113, failover: [gpt4o-prod-v1120]}\n")
    enough = FACTS._replace(peaks_tpm={"email": 30_000, "chat": 20_000})
    assert found_in(text, enough) == []
    short = FACTS._replace(peaks_tpm={"email": 30_000, "chat": 20_001})
    assert found_in(text, short) == [("CO206", "error", "tasks.chat.stable"), ("CO206", "error", "tasks.email.stable")]


@pytest.mark.parametrize("sold", ["sku: ProvisionedManaged, capacity: 50", "sku: Standard"])
def test_capacity_that_is_no_tokens_or_not_said_is_not_asked(sold: str) -> None:
    report = report_of(SOUND.replace("sku: Standard, capacity: 50", sold, 1), FACTS._replace(peaks_tpm={"email": 30_000}))
    assert report.findings == ()
    assert [each.why for each in report.not_asked if each.rule == "CO206"] == ["the stable's capacity in tokens a minute is not known"]


def test_a_stable_that_retires_within_the_days_of_warning_is_told_with_the_day_of_the_list() -> None:
    text = SOUND.replace("stable: gpt51-prod-v1113, failover: [gpt4o-prod-v1120]", "stable: gpt4o-prod-v1120, failover: [gpt51-prod-v1113]")
    found = report_of(text).findings
    assert [(each.rule, each.level, each.path) for each in found] == [("CO302", "warn", "tasks.email.stable")]
    assert "2027-04-14 (list of 2026-10-05), in 145 days" in found[0].found
    assert found_in(text, FACTS._replace(warning_days=144)) == []
    assert found_in(text, FACTS._replace(warning_days=145)) == [("CO302", "warn", "tasks.email.stable")]


def test_a_day_of_the_list_that_is_past_warns_and_the_regions_word_is_an_error() -> None:
    text = SOUND.replace("stable: gpt51-prod-v1113, failover: [gpt4o-prod-v1120]", "stable: gpt4o-prod-v1120, failover: [gpt51-prod-v1113]")
    later = TODAY + 200 * DAY_S
    assert found_in(text, now=later) == [("CO302", "warn", "tasks.email.stable")]
    assert "which is past" in report_of(text, now=later).findings[0].found
    facts = asked_of_azure(gpt4o_prod_v1120=ReadBack(upgrade=PINNED, retires_at=TODAY, is_retired=True))
    assert found_in(text, facts) == [("CO301", "error", "tasks.email.stable")]


def test_the_regions_date_counts_more_than_the_list() -> None:
    text = SOUND.replace("stable: gpt51-prod-v1113, failover: [gpt4o-prod-v1120]", "stable: gpt4o-prod-v1120, failover: [gpt51-prod-v1113]")
    facts = asked_of_azure(gpt4o_prod_v1120=ReadBack(upgrade=PINNED, retires_at=TODAY + 1000 * DAY_S))
    assert found_in(text, facts) == []


def test_a_spare_past_its_retirement_is_a_finding() -> None:
    text = with_deployment('o1-prod-v1217: {model: o1, version: "2024-12-17"}').replace("[gpt4o-prod-v1120]", "[o1-prod-v1217]")
    assert found_in(text) == [("CO303", "warn", "tasks.email.failover[0]")]


def test_a_version_of_which_no_date_is_known_is_not_asked() -> None:
    text = SOUND.replace('gpt-5.1, version: "2025-11-13"', 'gpt-realtime-2, version: "2026-05-06"').replace(
        "gpt51-prod-v1113", "gptrealtime2-prod-v0506"
    )
    report = report_of(text)
    assert ("CO302", "deployments.gptrealtime2-prod-v0506") in [(each.rule, each.path) for each in report.not_asked]
    assert LISTED.rows[-1].retires_at is None


def test_faults_are_findings_that_tell_a_secret_from_a_slip() -> None:
    text = SOUND.replace("kind: azure-openai", "kind: azure").replace("sku: Standard", "sku: sk-proj-0123456789abcdef", 1)
    found = check_faults(tuple(faults_of(text).values())).findings
    assert {(each.rule, each.path) for each in found} == {("CO001", "accounts.aoai.kind"), ("CO002", "deployments.gpt51-prod-v1113.sku")}
    assert "0123456789" not in str(found)


def test_levels_are_set_for_every_environment_or_for_one() -> None:
    text = SOUND.replace(", failover: [gpt4o-prod-v1120]", "")
    for said, level in (("off", None), ("error", "error"), ("{prod: error}", "error"), ("{dev: error}", "warn")):
        found = [(each[0], each[1]) for each in found_in(f"{text}check: {{rules: {{CO201: {said}}}}}\n")]
        assert found == ([] if level is None else [("CO201", level)])


def test_each_environment_has_its_own_level() -> None:
    text = with_deployment('chat: {model: gpt-4o, version: "2024-05-13", environment: dev}')
    for said, level in (("{prod: error}", None), ("{dev: error}", "error"), ("{prod: off, dev: warn}", "warn"), ("warn", "warn")):
        found = [(each[0], each[1]) for each in found_in(f"{text}check: {{rules: {{CO103: {said}}}}}\n")]
        assert found == ([] if level is None else [("CO103", level)])


def test_what_is_off_is_not_listed_as_not_asked() -> None:
    report = report_of(SOUND + "check: {rules: {CO102: off, CO206: off, CO301: off}}\n")
    assert report.not_asked == ()
