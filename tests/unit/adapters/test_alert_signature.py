"""Signatures as the Standard Webhooks specification has them."""

import base64

import pytest

from changeover.adapters.alerts.signature import SecretFormError, signed_headers, signing_key

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_published_example_is_signed_as_its_libraries_sign_it() -> None:
    headers = signed_headers(
        signing_key(SECRET), message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=b'{"test": 2432232314}'
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_prefix_of_a_secret_may_be_left_out() -> None:
    assert signing_key(SECRET) == signing_key(SECRET.removeprefix("whsec_"))


def test_without_a_key_a_message_goes_unsigned() -> None:
    assert signed_headers(None, message_id="m", timestamp=1, body=b"") == {"webhook-id": "m", "webhook-timestamp": "1"}


@pytest.mark.parametrize("size", [0, 23, 65])
def test_a_key_that_is_too_short_or_too_long_is_refused_without_being_shown(size: int) -> None:
    secret = "whsec_" + base64.b64encode(b"k" * size).decode()
    with pytest.raises(SecretFormError) as refused:
        signing_key(secret)
    assert secret[6:] not in str(refused.value) or size == 0


def test_a_secret_that_is_no_base64_is_refused_without_being_shown() -> None:
    with pytest.raises(SecretFormError) as refused:
        signing_key("whsec_päßwörd-of-somebody-that-is-long")
    assert "somebody" not in str(refused.value)


def test_an_id_with_a_dot_is_a_fault_of_ours() -> None:
    with pytest.raises(AssertionError):
        signed_headers(b"k", message_id="a.b", timestamp=1, body=b"")
