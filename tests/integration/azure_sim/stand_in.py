"""An Azure beside a test: real sockets, a thread of this process, writes that take no time unless a test says so."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2
import msgspec

from changeover.azure_sim.arm.cloud import Cloud
from changeover.azure_sim.arm.declaration import SUBSCRIPTION, Declaration, DeclaredAccount, DeclaredDeployment, built_in_declaration
from changeover.azure_sim.arm.estate import Conduct
from changeover.azure_sim.local_tls import new_local_tls
from changeover.azure_sim.serving import HOST, running

KEY: Final = "the-key-of-this-test"
API: Final = "2025-09-01"
NOON: Final = "2026-11-20T12:00:00Z"
"""When a test begins, wherever the real clock stands; the catalogue's dates are seen from here."""
PROVIDER: Final = "providers/Microsoft.CognitiveServices"


@dataclass(frozen=True, kw_only=True)
class Azure:
    """``url`` is Resource Manager, identity and control; accounts say their own endpoints. ``key`` is a token of Resource Manager too."""

    url: str
    cloud: Cloud
    client: httpx2.Client
    tls_url: str | None = None
    ca: Path | None = None
    key: str = KEY
    subscription: str = SUBSCRIPTION

    def account_path(self, account: str = "aoai-genai-sim", group: str = "rg-genai-sim") -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{group}/{PROVIDER}/accounts/{account}"

    def region_path(self, what: str, region: str = "swedencentral") -> str:
        return f"/subscriptions/{self.subscription}/{PROVIDER}/locations/{region}/{what}"

    def arm(self, method: str, path: str, json: Any = None, *, api: str | None = API, **headers: str) -> httpx2.Response:
        """One call of Resource Manager by somebody who may do everything."""
        sent = {"authorization": f"Bearer {self.key}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        where = path if api is None else f"{path}{'&' if '?' in path else '?'}api-version={api}"
        return self.client.request(method, where, json=json, headers=sent)

    def listed(self, path: str) -> list[Any]:
        """Everything in a list, page by page."""
        page = self.arm("GET", path).raise_for_status().json()
        found = list(page["value"])
        while "nextLink" in page:
            page = self.arm("GET", page["nextLink"].removeprefix(self.url), api=None).raise_for_status().json()
            found += page["value"]
        return found

    def put(self, name: str, **more: Any) -> httpx2.Response:
        """Create or replace a deployment of the built-in account."""
        return self.arm("PUT", f"{self.account_path()}/deployments/{name}", deployment_body(**more))

    def deployment(self, name: str) -> dict[str, Any]:
        return self.arm("GET", f"{self.account_path()}/deployments/{name}").raise_for_status().json()

    def tell(self, what: str, said: Any) -> Any:
        """``PUT /sim/{what}``; see the reference page."""
        return self.client.put(f"/sim/{what}", json=said, headers={"api-key": self.key}).raise_for_status().json()

    def shown(self, what: str = "state") -> Any:
        return self.client.get(f"/sim/{what}").raise_for_status().json()

    def advance(self, *, days: float = 0.0, seconds: float = 0.0) -> None:
        self.tell("clock", {"advance_days": days, "advance_s": seconds})

    def chat(self, deployment: str, account: str = "aoai-genai-sim", **headers: str) -> httpx2.Response:
        """One chat completion of an account's data plane."""
        body = {"messages": [{"role": "user", "content": "The reader opens a file. It never writes."}]}
        path = f"/accounts/{account}/openai/deployments/{deployment}/chat/completions?api-version=2024-10-21"
        return self.client.post(path, json=body, headers=headers or {"api-key": self.key})


def deployment_body(
    model: str = "gpt-4o", version: str | None = "2024-11-20", *, sku: str = "Standard", capacity: Any = 10, **properties: Any
) -> dict[str, Any]:
    """The body of a PUT. ``properties`` such as ``versionUpgradeOption`` stand beside the model."""
    named = {"format": "OpenAI", "name": model} | ({} if version is None else {"version": version})
    return {"sku": {"name": sku, "capacity": capacity}, "properties": {"model": named, **properties}}


def one_account(*deployments: DeclaredDeployment, name: str = "aoai-genai-sim", group: str = "rg-genai-sim", **more: Any) -> Declaration:
    """An Azure with one account and these deployments. ``more`` are fields of the declaration."""
    return Declaration(accounts=(DeclaredAccount(name=name, resource_group=group, deployments=deployments),), **more)


@contextmanager
def running_azure(
    declaration: Declaration | None = None, *, write_s: float = 0.0, state: Path | None = None, tls_folder: Path | None = None
) -> Generator[Azure]:
    """A whole Azure until the block ends. Without a declaration: the account and three deployments of ``changeover azure-sim``."""
    declared = declaration or built_in_declaration()
    conduct = msgspec.structs.replace(declared.conduct, write_s=write_s) if declared.conduct == Conduct() else declared.conduct
    declared = msgspec.structs.replace(declared, conduct=conduct, clock=declared.clock or NOON)
    cloud = Cloud(declared, key=KEY, state=state)
    tls = None if tls_folder is None else new_local_tls(tls_folder / "ca.pem", host=HOST)
    with (
        running(cloud, tls=None if tls is None else tls.context) as address,
        httpx2.Client(base_url=address.url, trust_env=False, timeout=20.0) as client,
    ):
        ca = None if tls is None else tls.ca_file
        yield Azure(url=address.url, tls_url=address.tls_url, ca=ca, cloud=cloud, client=client)
