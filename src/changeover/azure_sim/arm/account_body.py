"""How does Azure show an account, and is a new one in order?"""

import hashlib
import re
from typing import Final

from changeover.azure_sim.arm import replies
from changeover.azure_sim.arm.catalogue import REGIONS
from changeover.azure_sim.arm.estate import PROVIDER, Account
from changeover.azure_sim.arm.moments import finely_written, written
from changeover.azure_sim.arm.replies import Json

TYPE: Final = f"{PROVIDER}/accounts"
NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}")
KINDS: Final = ("OpenAI", "AIServices")
_OWN: Final = frozenset({"id", "name", "type", "location", "kind", "properties", "systemData", "etag"})


def shown(account: Account, *, endpoint: str) -> Json:
    return {
        "sku": {"name": "S0"},
        **account.rest,
        "id": account.id,
        "name": account.name,
        "type": TYPE,
        "kind": account.kind,
        "location": account.location,
        "etag": f'"{_digest(account)}"',
        "properties": {
            "customSubDomainName": account.name,
            "publicNetworkAccess": "Enabled",
            **account.properties,
            "endpoint": endpoint,
            "endpoints": {"OpenAI Language Model Instance API": endpoint},
            "provisioningState": "Succeeded",
            "dateCreated": finely_written(account.created_at),
        },
        "systemData": {"createdAt": written(account.created_at), "createdByType": "Application"},
    }


def read_account(name: str, sent: Json, *, subscription: str, group: str, now: float) -> Account:
    """Raises ``ArmError``."""
    if not NAME.fullmatch(name):
        raise replies.invalid_properties(f"The account name '{name}' is invalid.")
    location = str(sent.get("location", "")).replace(" ", "").lower()
    if location not in REGIONS:
        raise replies.invalid_properties(f"The location '{sent.get('location')}' is not available for resource type '{TYPE}'.")
    kind = sent.get("kind")
    if kind not in KINDS:
        raise replies.invalid_properties(f"The account kind '{kind}' is not supported here: {' or '.join(KINDS)}.")
    properties: Json = sent.get("properties") or {}
    return Account(
        subscription=subscription,
        group=group,
        name=name,
        location=location,
        kind=str(kind),
        properties=properties,
        rest={key: value for key, value in sent.items() if key not in _OWN},
        created_at=now,
    )


def _digest(account: Account) -> str:
    return hashlib.blake2b(f"{account.id}{account.created_at}".lower().encode(), digest_size=16).hexdigest()
