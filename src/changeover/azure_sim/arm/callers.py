"""Who calls, and may they? Tokens that this stage gave, and the roles of their holders."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from changeover.azure_sim.arm.replies import ArmError, Json

Role = Literal["contributor", "reader", "none"]
Roles = Role | dict[str, Role]
"""One role for all subscriptions, or roles by subscription id in lower case; in others, none."""
ARM_AUDIENCES: Final = ("https://management.", "https://management-")
DATA_AUDIENCES: Final = ("https://cognitiveservices.azure.", "https://ai.azure.")
READING: Final = frozenset({"GET", "HEAD"})
MANAGED_IDENTITY: Final = "00000000-0000-0000-0000-00000000abcd"
"""The client id of the machine's own identity, where the caller names none."""
_HEADER: Final = {"alg": "HS256", "typ": "JWT"}


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever holds a token, and what it may do."""

    client_id: str
    roles: Roles = "contributor"

    def role_in(self, subscription: str) -> Role:
        return self.roles if isinstance(self.roles, str) else self.roles.get(subscription.lower(), "none")

    @property
    def object_id(self) -> str:
        digits = hashlib.blake2b(self.client_id.encode(), digest_size=16).hexdigest()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class Callers:
    """Gives and checks tokens. ``key`` signs them, and is accepted as a token itself; ``roles`` by client id, else contributor."""

    def __init__(self, *, key: str, tenant: str, roles: dict[str, Roles] | None = None, clock: Callable[[], float]) -> None:
        self._key = key
        self._clock = clock
        self.tenant = tenant
        self.roles = roles or {}

    def token(self, *, audience: str, client_id: str, life_s: float) -> tuple[str, float]:
        """A token and its end in Unix seconds of real time."""
        now = self._clock()
        claims: Json = {
            "aud": audience.rstrip("/"),
            "iss": f"https://sts.windows.net/{self.tenant}/",
            "iat": int(now),
            "nbf": int(now),
            "exp": int(now + life_s),
            "tid": self.tenant,
            "appid": client_id,
            "oid": Caller(client_id=client_id).object_id,
            "ver": "1.0",
        }
        told = f"{_packed(msgspec.json.encode(_HEADER))}.{_packed(msgspec.json.encode(claims))}"
        return f"{told}.{self._signature(told)}", now + life_s

    def is_secret(self, secret: str) -> bool:
        return hmac.compare_digest(secret.encode(), self._key.encode())

    def of_arm(self, authorization: str | None, *, base: str) -> Caller:
        """Who calls Resource Manager. Raises ``ArmError`` with the challenge that clients understand."""
        if not authorization or not authorization.lower().startswith("bearer "):
            raise self._challenge(base, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        token = authorization[len("bearer ") :].strip()
        if self.is_secret(token):
            return Caller(client_id=MANAGED_IDENTITY)
        claims = self._claims(token)
        if claims is None:
            raise self._challenge(base, "InvalidAuthenticationToken", "The access token is invalid.")
        if claims["exp"] <= self._clock():
            raise self._challenge(base, "ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time.")
        if not str(claims["aud"]).startswith((*ARM_AUDIENCES, base)):
            said = (
                f"The access token has been obtained for wrong audience or resource '{claims['aud']}'. It should exactly match one of the "
            )
            raise self._challenge(base, "InvalidAuthenticationTokenAudience", f"{said}allowed audiences 'https://management.azure.com/'.")
        client_id = str(claims["appid"])
        return Caller(client_id=client_id, roles=self.roles.get(client_id, "contributor"))

    def may_ask_models(self, authorization: str) -> bool:
        """Is this a token of ours for the data plane?"""
        claims = self._claims(authorization.removeprefix("Bearer "))
        if claims is None or claims["exp"] <= self._clock() or not str(claims["aud"]).startswith(DATA_AUDIENCES):
            return False
        return self.roles.get(str(claims["appid"]), "contributor") != "none"

    def _claims(self, token: str) -> Any:
        head, _, signature = token.rpartition(".")
        if not head or not hmac.compare_digest(signature.encode(), self._signature(head).encode()):
            return None
        return msgspec.json.decode(_unpacked(head.partition(".")[2]))

    def _signature(self, told: str) -> str:
        return _packed(hmac.new(self._key.encode(), told.encode(), hashlib.sha256).digest())

    def _challenge(self, base: str, code: str, message: str) -> ArmError:
        authority = f'Bearer authorization_uri="{base}/{self.tenant}", error="invalid_token", error_description="{message}"'
        return ArmError(401, code, message, headers={"www-authenticate": authority})


def authorise(caller: Caller, *, method: str, action: str, scope: str) -> None:
    """Raises ``ArmError`` for what the caller's role in the subscription of ``scope`` does not cover. All may ask what they see."""
    _, _, *below = scope.split("/")
    if not below:
        return
    role = caller.role_in(below[0])
    if role == "contributor" or (role == "reader" and method in READING):
        return
    raise ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{caller.client_id}' with object id '{caller.object_id}' does not have authorization to perform action '{action}' "
        f"over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
    )


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unpacked(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return b"{}"
