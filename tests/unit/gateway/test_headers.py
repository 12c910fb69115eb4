"""Which headers go on, and which stay."""

from changeover.gateway.headers import relayed, sent_on


def test_headers_that_connection_names_stay_here_in_both_directions() -> None:
    headers = [(b"connection", b"close, X-Private , x-other"), (b"x-private", b"1"), (b"x-other", b"2"), (b"x-kept", b"3")]
    assert sent_on(headers, headers[0][1]) == relayed(headers, headers[0][1]) == b"x-kept: 3\r\n"


def test_a_repeated_header_stays_repeated_and_in_order() -> None:
    headers = [(b"x-a", b"1"), (b"x-b", b"2"), (b"x-a", b"3")]
    assert sent_on(headers, None) == b"x-a: 1\r\nx-b: 2\r\nx-a: 3\r\n"


def test_replies_keep_the_case_of_their_names_and_lose_our_own_whatever_their_case() -> None:
    headers = [(b"X-Ms-Region", b"Sweden"), (b"X-ChangeOver-Side", b"candidate"), (b"Content-Length", b"5"), (b"Transfer-Encoding", b"x")]
    assert relayed(headers, None) == b"X-Ms-Region: Sweden\r\n"


def test_what_identifies_the_caller_is_not_sent() -> None:
    names = (b"authorization", b"api-key", b"x-api-key", b"cookie", b"openai-organization", b"x-forwarded-for", b"x-changeover-unit")
    assert sent_on([(name, b"1") for name in names], None) == b""
