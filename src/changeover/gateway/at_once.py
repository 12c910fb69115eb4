"""How does a good answer that came in one piece, as nearly all do, reach its caller? Read and relayed in one go."""

from typing import Final

from changeover.gateway.answer import Errand, answer_head, is_encoded
from changeover.gateway.upstream import Upstream
from changeover.gateway.whole import is_text
from changeover.wire.readers import reply_reader
from changeover.wire.reply_facts import ReplyFacts

_EVENT_STREAM: Final = b"text/event-stream"


def answer_at_once(errand: Errand, upstream: Upstream, tags: bytes, data: bytes, *, at: float) -> ReplyFacts | None:
    """Relay ``data``, the whole body of a reply of status 200 on a first-class surface, and return what it says of itself.

    ``None``: nothing was sent, because the reply is not simply good (compressed, a stream, an error inside, no JSON); it takes
    the way of every other reply.
    """
    kind = upstream.names.get(b"content-type")
    if is_encoded(upstream) or (kind is not None and kind.lower().startswith(_EVENT_STREAM)):
        return None
    facts = reply_reader(errand.ask.surface)(data)
    if facts is None or facts.error is not None or not is_text(data):
        return None
    errand.journey.first_byte(at)
    errand.caller.write(answer_head(errand, upstream, tags, b"content-length: %d\r\n" % len(data), body=data))
    return facts
