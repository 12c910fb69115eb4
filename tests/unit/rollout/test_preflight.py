"""From what a trial found to whether the rollout starts: refused, unknown, or recorded."""

import pytest

from changeover.rollout.preflight import Findings, Preflight, PreflightRefusal, Unsupported, Unverified, judged
from changeover.settings.file import parse
from changeover.versions import RequestSettings

FOUND = Unsupported(deployment="new", parameter="max_tokens", value="64", error="no", setting="rename: {max_tokens: max_completion_tokens}")
FIXED = Unsupported(deployment="new", parameter="stream", value="true", error="verify yourself", setting=None)
SILENT = Unverified(deployment="new", reason="it is paused", hint="resume it", status=423)
SETTINGS = RequestSettings(rename={"max_tokens": "max_completion_tokens"}, drop=("temperature",), set={"reasoning_effort": "low"})


def refused(**found: object) -> PreflightRefusal:
    with pytest.raises(PreflightRefusal) as caught:
        judged("mail", "new", Findings(**found))  # type: ignore[arg-type]
    return caught.value


def test_a_candidate_that_took_everything_may_start_and_how_it_was_tried_is_recorded() -> None:
    found = Findings(sent=9, shapes=4, known=6, settings={"new": SETTINGS}, not_tried=("prediction",))
    assert judged("mail", "new", found) == Preflight(sent=9, shapes=4, known=6, not_tried=("prediction",))


def test_a_refused_parameter_is_a_failed_gate_with_settings_to_paste() -> None:
    refusal = refused(unsupported=(FOUND,), settings={"new": SETTINGS})
    assert (refusal.verdict, refusal.message) == ("preflight_failed", "new refuses what mail is asked with: max_tokens")
    assert refusal.details == ('new refuses max_tokens: 64: "no" -> rename: {max_tokens: max_completion_tokens}',)
    assert refusal.paste.splitlines() == [
        "deployments:",
        "  new:",
        '    request: {rename: {max_tokens: max_completion_tokens}, drop: [temperature], set: {reasoning_effort: "low"}}',
    ]


def test_what_is_to_be_pasted_is_read_back_as_the_same_settings() -> None:
    file = 'version: 1\naccounts: {a: {kind: openai-compatible, endpoint: "http://127.0.0.1:9/v1"}}\ntasks: {t: {stable: new}}\n'
    paste = refused(unsupported=(FOUND,), settings={"new": SETTINGS}).paste
    declared = parse(file + paste.replace("request:", 'model: m\n    version: "1"\n    request:'))
    assert declared.deployments["new"].request == SETTINGS


def test_a_system_prompt_is_not_printed_but_kept() -> None:
    secret = RequestSettings(drop=("top_p",), system_prompt="our way of working")
    paste = refused(unsupported=(FOUND,), settings={"new": secret}).paste
    assert "its system_prompt stays as it is" in paste
    assert "our way" not in paste


def test_what_no_setting_mends_is_said() -> None:
    assert refused(unsupported=(FIXED,), settings={"new": RequestSettings()}).paste == ""
    assert "no request setting mends this" in refused(unsupported=(FIXED,), settings={"new": RequestSettings()}).hint
    assert "only a part" in refused(unsupported=(FOUND, FIXED), settings={"new": SETTINGS}).hint


def test_a_candidate_that_could_not_be_tried_is_unknown_and_never_passes() -> None:
    refusal = refused(unverified=(SILENT,))
    assert (refusal.verdict, refusal.details) == ("preflight_unverified", ("new: it is paused (status 423)",))
    assert refusal.hint.startswith("resume it; or start without this check")


def test_a_refusal_outweighs_what_is_unknown_and_both_are_listed() -> None:
    refusal = refused(unsupported=(FOUND,), unverified=(SILENT,), settings={"new": SETTINGS})
    assert refusal.verdict == "preflight_failed"
    assert len(refusal.details) == 2
