"""What the command line says of a candidate's trial."""

from pathlib import Path

import pytest

from changeover.console.failure import Failure
from changeover.console.preflight import preflight_order
from changeover.console.render_preflight import preflight_lines
from changeover.rollout.preflight import Preflight


def test_a_trial_reads_as_what_was_tried_and_what_could_not_be() -> None:
    assert preflight_lines(None) == ()
    assert preflight_lines(Preflight(skipped=True)) == ("its candidate was not tried first, by order",)
    assert "plain request" in preflight_lines(Preflight(sent=1))[0]
    assert preflight_lines(Preflight(sent=9, shapes=4, known=4))[0].endswith("(request shapes tried: 4)")
    part = preflight_lines(Preflight(sent=9, shapes=20, known=31, not_tried=("prediction",)))[0]
    assert part.endswith("(request shapes tried: 20 of 31), but for parameters that could not be tried: prediction")


def test_options_become_the_order_that_the_server_takes(tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text('{"messages": [], "seed": 1}\n')
    assert preflight_order(None, skip=False, reason="") == {}
    assert preflight_order(None, skip=True, reason="new quota") == {"skip_preflight": True}
    assert preflight_order(file, skip=False, reason="") == {"requests": [{"surface": "chat", "body": {"messages": [], "seed": 1}}]}


def test_what_cannot_be_used_is_a_usage_error_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="needs a reason"):
        preflight_order(None, skip=True, reason="  ")
    with pytest.raises(Failure, match="cannot read"):
        preflight_order(tmp_path / "nowhere.jsonl", skip=False, reason="")
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"messages": []}\nno\n')
    with pytest.raises(Failure, match="cannot be used") as caught:
        preflight_order(bad, skip=False, reason="")
    assert [detail.partition(":")[0] for detail in caught.value.details] == ["line 2"]
    assert caught.value.exit_code == 2
