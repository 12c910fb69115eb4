"""Which headers go on, and which stay."""

from changeover.gateway import headers
from changeover.gateway.headers import Header, add_relayed, add_sent_on


def sent_on(lot: list[Header], connection: bytes | None) -> bytes:
    lines: list[bytes] = []
    add_sent_on(lines, lot, connection)
    return b"".join(lines)


def relayed(lot: list[Header], connection: bytes | None) -> bytes:
    lines: list[bytes] = []
    add_relayed(lines, lot, connection)
    return b"".join(lines)


def test_headers_that_connection_names_stay_here_in_both_directions() -> None:
    lot = [(b"connection", b"close, X-Private , x-other"), (b"x-private", b"1"), (b"x-other", b"2"), (b"x-kept", b"3")]
    assert sent_on(lot, lot[0][1]) == relayed(lot, lot[0][1]) == b"x-kept: 3\r\n"


def test_a_repeated_header_stays_repeated_and_in_order() -> None:
    lot = [(b"x-a", b"1"), (b"x-b", b"2"), (b"x-a", b"3")]
    assert sent_on(lot, None) == b"x-a: 1\r\nx-b: 2\r\nx-a: 3\r\n"


def test_replies_keep_the_case_of_their_names_and_lose_our_own_whatever_their_case() -> None:
    lot = [(b"X-Ms-Region", b"Sweden"), (b"X-ChangeOver-Side", b"candidate"), (b"Content-Length", b"5"), (b"Transfer-Encoding", b"x")]
    assert relayed(lot, None) == b"X-Ms-Region: Sweden\r\n"


def test_what_identifies_the_caller_is_not_sent() -> None:
    names = (b"authorization", b"api-key", b"x-api-key", b"cookie", b"openai-organization", b"x-forwarded-for", b"x-changeover-unit")
    assert sent_on([(name, b"1") for name in names], None) == b""


def test_what_is_kept_of_names_is_bounded_and_changes_nothing() -> None:
    for number in range(2 * headers.KEPT_NAMES_MAX):
        name = b"x-made-up-%d" % number
        assert sent_on([(name, b"1")], None) == relayed([(name, b"1")], None) == name + b": 1\r\n"
    assert sent_on([(b"x-late", b"1"), (b"cookie", b"1"), (b"x-forwarded-new", b"1")], None) == b"x-late: 1\r\n"
    assert relayed([(b"X-Late", b"1"), (b"X-Changeover-New", b"1")], None) == b"X-Late: 1\r\n"
