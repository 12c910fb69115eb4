"""How is a message signed, so that whoever gets it knows that we sent it? By the Standard Webhooks specification 1.0.0:
HMAC-SHA256 over ``{id}.{timestamp}.{body}``, in base64 behind ``v1,``.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Final

SECRET_PREFIX: Final = "whsec_"
KEY_BYTES_MIN: Final = 24
KEY_BYTES_MAX: Final = 64


class SecretFormError(ValueError):
    """The signing secret has another form. The message holds nothing of it."""


def signing_key(secret: str) -> bytes:
    """The key behind a secret: base64 of 24 to 64 bytes, usually behind ``whsec_``.

    Raises:
        SecretFormError: it is something else.
    """
    text = secret.strip().removeprefix(SECRET_PREFIX)
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SecretFormError(f"found no base64; expected {SECRET_PREFIX} and base64") from None
    if not KEY_BYTES_MIN <= len(key) <= KEY_BYTES_MAX:
        raise SecretFormError(f"found a key of {len(key)} bytes; expected {KEY_BYTES_MIN} to {KEY_BYTES_MAX}")
    return key


def signed_headers(key: bytes | None, *, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a message; without a ``key`` it goes unsigned, with the other two."""
    assert "." not in message_id, "a dot would let one message be read as another"
    headers = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    if key is not None:
        signed = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
        headers["webhook-signature"] = f"v1,{base64.b64encode(signed).decode()}"
    return headers
