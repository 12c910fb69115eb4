"""By which way providers are reached."""

import pytest

from changeover.gateway.egress import Egress, EgressError, Proxy, egress_from

PROXY = Proxy(host="proxy.example", port=3128)


def test_without_a_word_of_the_environment_every_way_is_straight() -> None:
    assert egress_from({}) == Egress()
    assert Egress().proxy_for("aoai.example", 443, tls=True) is None


def test_each_scheme_has_its_own_proxy_and_lower_case_wins() -> None:
    egress = egress_from({"HTTP_PROXY": "http://upper:1", "http_proxy": "http://lower:2", "HTTPS_PROXY": "https://secure"})
    assert egress.proxy_for("x", 80, tls=False) == Proxy(host="lower", port=2)
    assert egress.proxy_for("x", 443, tls=True) == Proxy(host="secure", port=443, tls=True)


def test_a_proxy_may_want_a_name_and_a_password_that_are_never_shown() -> None:
    proxy = egress_from({"https_proxy": "http://me:p%40ss@proxy.example:3128"}).https_proxy
    assert proxy is not None
    assert proxy.authorization == "proxy-authorization: Basic bWU6cEBzcw==\r\n"
    assert "bWU6" not in repr(proxy)


def test_a_proxy_may_be_written_without_its_scheme() -> None:
    assert egress_from({"http_proxy": "proxy.example:3128"}).http_proxy == PROXY


@pytest.mark.parametrize("text", ["ftp://proxy", "http://", "http://proxy:port", "socks5://proxy:1080"])
def test_what_is_no_proxy_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(EgressError, match="HTTPS_PROXY is not the URL of a proxy"):
        egress_from({"https_proxy": text})


@pytest.mark.parametrize(
    ("no_proxy", "host", "port", "straight"),
    [
        ("*", "aoai.example", 443, True),
        ("aoai.example", "aoai.example", 443, True),
        ("AOAI.example", "aoai.EXAMPLE", 443, True),
        (".example", "aoai.example", 443, True),
        ("*.example", "aoai.example", 443, True),
        ("example", "aoai.example", 443, True),
        ("ai.example", "aoai.example", 443, False),
        ("aoai.example:8443", "aoai.example", 443, False),
        ("aoai.example:443", "aoai.example", 443, True),
        ("127.0.0.0/8", "127.0.0.1", 80, True),
        ("10.0.0.0/8", "11.0.0.1", 80, False),
        ("10.1.2.3", "10.1.2.3", 80, True),
        ("::1", "::1", 80, True),
        ("[::1]:80", "::1", 80, True),
        ("other, , aoai.example ", "aoai.example", 443, True),
        ("", "aoai.example", 443, False),
    ],
)
def test_no_proxy_names_hosts_domains_addresses_and_networks(no_proxy: str, host: str, port: int, straight: bool) -> None:
    egress = egress_from({"http_proxy": "http://proxy.example:3128", "NO_PROXY": no_proxy})
    assert egress.proxy_for(host, port, tls=False) == (None if straight else PROXY)


def test_a_ca_file_that_cannot_be_read_is_refused_by_its_name() -> None:
    with pytest.raises(EgressError, match=r"/nowhere/ca\.pem"):
        egress_from({}, ca_file="/nowhere/ca.pem").tls_context()
