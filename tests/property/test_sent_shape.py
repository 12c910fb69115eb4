"""Whatever a request says: its shape holds no text of its caller, makes a request that can be sent, and costs no exception."""

from collections.abc import Iterable

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from changeover.wire.probe import OPERATIONS, Probe, probes_of
from changeover.wire.request import read_request
from changeover.wire.sent_shape import PARTS, WORDS, shape_of
from changeover.wire.surface import Surface

FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
MARK = "Kowalczyk"

texts = st.text(max_size=12).map(lambda text: MARK + text)
scalars = st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False) | texts
inner_names = texts | st.sampled_from(["type", "format", "effort", "role", "content", "include_usage"])
leaves = scalars | st.sampled_from(["auto", "low", "json_object", "x"])
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(inner_names, inner, max_size=4), max_leaves=8)
names = st.sampled_from([*WORDS, *PARTS, "messages", "input", "prompt", "stop", "user", "max_tokens", "n", "seed"])
bodies = st.dictionaries(names, values, max_size=10)
surfaces = st.sampled_from(sorted(OPERATIONS))


@given(surface=surfaces, body=bodies)
def test_no_text_of_a_caller_is_in_a_shape(surface: Surface, body: dict[str, object]) -> None:
    shape = shape_of(surface, FIELDS.decode(msgspec.json.encode(body)))
    assert MARK.encode() not in msgspec.json.encode(shape)


@given(surface=surfaces, body=bodies)
def test_every_shape_makes_requests_that_can_be_read_with_its_parameters_or_says_which_are_left_out(
    surface: Surface, body: dict[str, object]
) -> None:
    shape = shape_of(surface, FIELDS.decode(msgspec.json.encode(body)))
    probes, known = probes_of([shape], most=20)
    assert len(probes) == known
    for probe in probes:
        check(probe, shape.values.keys())


def check(probe: Probe, wanted: Iterable[str]) -> None:
    request = read_request(probe.surface, msgspec.json.encode(probe.body), path_task="task")
    assert set(wanted) <= request.fields.keys() | set(probe.left_out)
    assert not request.fields.keys() & set(probe.left_out)


@given(raw=st.binary(max_size=40))
def test_bytes_that_are_no_json_have_a_shape_too(raw: bytes) -> None:
    shape_of(Surface.CHAT, {name: msgspec.Raw(raw) for name in ("messages", "text", "reasoning_effort", "tools", "n")})
