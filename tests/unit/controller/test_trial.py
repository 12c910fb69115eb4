"""A deployment under trial: every parameter that it refuses comes to light, and nothing unproven counts as taken."""

import asyncio

import msgspec
import pytest

from changeover.controller.trial import ERROR_CHARS_MAX, Pace
from changeover.ports.probing import ProbeAnswer, ProbeCall, ProbeFailedError
from changeover.versions import RequestSettings
from tests.unit.controller.providers import NAME, OK, bodies, chat, no_sleep, refusal, refusing, tried, unsupported

REASONER = {"max_tokens": "max_completion_tokens", "temperature": "", "top_p": "", "stop": ""}


def test_a_deployment_that_takes_everything_is_asked_once_a_request_under_its_own_name() -> None:
    trial, prober = tried(refusing({}), chat(temperature=0), chat(top_p=1))
    assert (trial.unsupported, trial.unverified, trial.settings) == ((), (), RequestSettings())
    assert [body["model"] for body in bodies(prober)] == [NAME, NAME]


def test_every_parameter_that_is_refused_is_found_one_after_the_other_and_mended() -> None:
    trial, _ = tried(refusing(REASONER), chat(max_tokens=64, temperature=0.2, top_p=0.9, stop="x"))
    assert [(found.parameter, found.value, found.setting) for found in trial.unsupported] == [
        ("max_tokens", "64", "rename: {max_tokens: max_completion_tokens}"),
        ("temperature", "0.2", "drop: [temperature]"),
        ("top_p", "0.9", "drop: [top_p]"),
        ("stop", '"x"', "drop: [stop]"),
    ]
    assert trial.settings == RequestSettings(rename={"max_tokens": "max_completion_tokens"}, drop=("temperature", "top_p", "stop"))
    assert trial.unverified == ()
    assert trial.unsupported[0].error == "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."


def test_requests_that_are_refused_for_the_same_parameter_at_the_same_time_are_all_mended_by_one_setting() -> None:
    trial, _ = tried(refusing(REASONER), *(chat(max_tokens=number, temperature=number) for number in range(6)))
    assert [found.setting for found in trial.unsupported] == ["rename: {max_tokens: max_completion_tokens}", "drop: [temperature]"]
    assert trial.unverified == ()


def test_in_the_end_every_request_has_been_taken_under_the_same_settings() -> None:
    trial, prober = tried(refusing(REASONER), chat(), chat(temperature=0))
    assert trial.settings.drop == ("temperature",)
    assert bodies(prober)[0] == bodies(prober)[-1] or len(prober.calls) == 4
    assert [("temperature" in body) for body in bodies(prober)] == [False, True, False, False]


def test_its_own_request_settings_are_applied_first() -> None:
    own = RequestSettings(rename={"max_tokens": "max_completion_tokens"}, drop=("temperature",), set={"reasoning_effort": "low"})
    trial, prober = tried(refusing(REASONER), chat(max_tokens=5, temperature=0), settings=own)
    assert (trial.unsupported, trial.settings) == ((), own)
    assert (bodies(prober)[0]["max_completion_tokens"], bodies(prober)[0]["reasoning_effort"]) == (5, "low")


def test_what_its_own_settings_set_and_it_refuses_is_to_be_taken_out_of_them() -> None:
    trial, _ = tried(refusing({"reasoning_effort": ""}), chat(), settings=RequestSettings(set={"reasoning_effort": "low"}))
    assert [found.setting for found in trial.unsupported] == ["take reasoning_effort out of set"]
    assert trial.settings == RequestSettings()


def test_a_parameter_that_no_setting_changes_is_listed_with_the_others() -> None:
    trial, _ = tried(refusing({"temperature": "", "stream": ""}), chat(stream=True, temperature=0), chat(top_p=1))
    assert {found.parameter: found.setting for found in trial.unsupported} == {"temperature": "drop: [temperature]", "stream": None}


def test_a_deployment_that_goes_on_refusing_what_was_mended_is_left_in_peace() -> None:
    trial, prober = tried(lambda _: unsupported("messages"), chat())
    assert [found.setting for found in trial.unsupported] == [None]
    assert len(prober.calls) == 1

    def mulish(call: ProbeCall) -> ProbeAnswer:
        fields = msgspec.json.decode(call.body)
        return unsupported("b", instead="a") if "b" in fields else unsupported("a", instead="b") if "a" in fields else OK

    trial, prober = tried(mulish, chat(a=1))
    assert len(prober.calls) < 6
    assert trial.settings.drop


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (401, "401", "its account's credential is not accepted"),
        (404, "DeploymentNotFound", "there is no such deployment"),
        (410, "ModelDeprecated", "its model version is retired"),
        (423, "DeploymentPaused", "it is paused"),
    ],
)
def test_what_every_request_would_meet_is_told_once_and_ends_the_trial(status: int, code: str, words: str) -> None:
    trial, prober = tried(lambda _: refusal(status, code=code, message="the key is abc"), *(chat(n=number) for number in range(9)))
    (found,) = trial.unverified
    assert (found.reason.startswith(words), found.status) == (True, status)
    assert len(prober.calls) <= 4
    assert ("abc" in found.reason) is (status != 401), "what is said of a credential is not passed on"


def test_a_busy_deployment_is_asked_again_when_it_says_so_and_then_counts_as_untried() -> None:
    waits: list[float] = []

    async def sleep(wait_s: float) -> None:
        waits.append(wait_s)
        await asyncio.sleep(0)

    trial, prober = tried(lambda _: refusal(429, retry_after="3"), chat(), pace=Pace(sleep=sleep))
    assert (len(prober.calls), waits) == (3, [3.0, 3.0])
    assert trial.unverified[0].reason.startswith("it is out of quota for now")
    answers = iter([refusal(429, retry_after="3600"), refusal(503), OK])
    trial, _ = tried(lambda _: next(answers), chat(), pace=Pace(sleep=sleep))
    assert (trial.unverified, waits[2:]) == ((), [8.0, 1.0])


def test_a_filtered_prompt_and_a_limit_that_leaves_no_room_are_answers() -> None:
    answers = iter([refusal(400, code="content_filter"), refusal(400, message="... max_tokens or model output limit was reached ...")])
    trial, _ = tried(lambda _: next(answers), chat(), chat())
    assert (trial.unsupported, trial.unverified) == ((), ())


def test_a_refusal_of_no_parameter_is_told_with_what_was_sent() -> None:
    trial, _ = tried(lambda _: refusal(400, message="not\nthis\x00 way" + "x" * 999), chat(temperature=0))
    reason = trial.unverified[0].reason
    assert reason.startswith('it refuses a chat request with messages, temperature, and says "not this way')
    assert "\n" not in reason
    assert len(reason) < ERROR_CHARS_MAX + 100


def test_an_error_inside_a_stream_that_began_well_is_a_refusal() -> None:
    late = ProbeAnswer(status=200, headers={}, body=b'data: {"choices":[]}\n\ndata: ' + unsupported("top_p").body + b"\n\n")
    trial, _ = tried(lambda call: late if b"top_p" in call.body else OK, chat(stream=True, top_p=1))
    assert [found.parameter for found in trial.unsupported] == ["top_p"]
    assert trial.unverified == ()


def test_no_answer_is_told_and_ends_the_trial() -> None:
    def silent(_: ProbeCall) -> ProbeAnswer:
        raise ProbeFailedError("unreachable", "account aoai cannot be reached")

    trial, prober = tried(silent, *(chat(n=number) for number in range(9)))
    assert [found.reason for found in trial.unverified] == ["account aoai cannot be reached"]
    assert len(prober.calls) <= 4


def test_requests_and_time_are_bounded() -> None:
    count = iter(range(10_000))
    trial, prober = tried(
        lambda _: unsupported(f"p{next(count)}"),
        chat(**{f"p{number}": 1 for number in range(60)}),
        pace=Pace(requests_max=20, sleep=no_sleep),
    )
    assert len(prober.calls) == 20
    assert "20 requests" in trial.unverified[0].reason
    hour = Pace(whole_s=0.0, sleep=asyncio.sleep)
    trial, _ = tried(lambda _: refusal(503, retry_after="8"), chat(), pace=hour)
    assert "after 0 s" in trial.unverified[0].reason
