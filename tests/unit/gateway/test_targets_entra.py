"""How an account is called that has a token in place of a key."""

import msgspec
import pytest

from changeover.gateway.targets import identities_of, identity_of, prepare
from changeover.gateway.tokens import AWAITED, Bearer
from changeover.traffic.table import RoutingTable
from changeover.versions import EntraIdentity, SecretReference
from tests.unit.gateway.test_targets import prefix, table

ME = EntraIdentity(method="managed", scope="https://cognitiveservices.azure.com/.default")
ENTRA = SecretReference(source="entra", entra=ME)
KEY_ELSE_ENTRA = SecretReference(source="env", name="AZURE_OPENAI_API_KEY", entra=ME)
TOKEN = "eyJ0.e30.x"


def keyless(auth: SecretReference) -> RoutingTable:
    plain = table("https://aoai.example")
    return msgspec.structs.replace(plain, accounts={"a": msgspec.structs.replace(plain.accounts["a"], auth=auth)})


def test_a_token_is_sent_as_bearer_and_never_shown() -> None:
    prepared = prepare(keyless(ENTRA), lambda _: None, None, lambda _: Bearer(TOKEN))
    assert f"\r\nauthorization: Bearer {TOKEN}\r\n".encode() in prefix(prepared.targets["blue"])
    assert b"api-key" not in prefix(prepared.targets["blue"])
    assert TOKEN not in repr(prepared)


@pytest.mark.parametrize(
    ("bearer", "code"), [(AWAITED, "entra_token_awaited"), (Bearer(None, "Entra ID gave no token"), "entra_token_missing")]
)
def test_without_a_token_it_cannot_be_called_and_says_why(bearer: Bearer, code: str) -> None:
    fault = prepare(keyless(KEY_ELSE_ENTRA), lambda _: None, None, lambda _: bearer).targets["blue"].fault
    assert fault is not None
    assert fault[0] == code
    assert f"account a has no token from entra:managed ({bearer.reason}) and env:AZURE_OPENAI_API_KEY is not set" in fault[1]


@pytest.mark.parametrize("key", [None, "", " \n"])
def test_an_empty_key_is_none(key: str | None) -> None:
    assert identity_of(KEY_ELSE_ENTRA, lambda _: key) == ME


def test_a_key_that_is_there_comes_first_also_one_that_is_no_good() -> None:
    assert identities_of(keyless(KEY_ELSE_ENTRA), lambda _: "k") == set()
    assert b"api-key: k\r\n" in prefix(prepare(keyless(KEY_ELSE_ENTRA), lambda _: "k").targets["blue"])
    broken = prepare(keyless(KEY_ELSE_ENTRA), lambda _: "a\nb").targets["blue"]
    assert broken.fault is not None
    assert broken.fault[0] == "secret_missing"


def test_accounts_with_one_identity_ask_once() -> None:
    one = keyless(ENTRA)
    two = msgspec.structs.replace(one, accounts={**one.accounts, "b": msgspec.structs.replace(one.accounts["a"], name="b")})
    assert identities_of(two, lambda _: None) == {ME}


def test_where_nobody_gives_tokens_an_account_that_needs_one_says_so() -> None:
    fault = prepare(keyless(ENTRA), lambda _: None).targets["blue"].fault
    assert fault is not None
    assert "nobody is asked for tokens here" in fault[1]
