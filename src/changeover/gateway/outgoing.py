"""What is sent to a provider for this request? The caller's own bytes, under the deployment's name and settings."""

from changeover.gateway.call import Call
from changeover.gateway.headers import add_sent_on, nominations
from changeover.gateway.targets import Target
from changeover.wire.request import ModelRequest, rewrite_request
from changeover.wire.surface import Ask

_BODILESS = frozenset({b"GET", b"HEAD", b"DELETE"})


def request_bytes(call: Call, ask: Ask, request: ModelRequest, target: Target) -> bytes:
    """The whole request as ``target`` gets it: head and body in one piece."""
    body = rewrite_request(request, model=target.model, settings=target.settings)
    lines = [target.prefix(call.method, call.url, ask)]
    add_sent_on(lines, call.headers, nominations(call.headers, call.names))
    unsaid = target.unless_said
    if unsaid is not None and unsaid[0] not in call.names:
        lines.append(unsaid[1])
    lines.append(b"\r\n" if not body and call.method in _BODILESS else b"content-length: %d\r\n\r\n" % len(body))
    lines.append(body)
    return b"".join(lines)
