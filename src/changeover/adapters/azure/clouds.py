"""Where is Resource Manager in each of Azure's clouds, and what is a token for it asked with?"""

from typing import Final

import msgspec

from changeover.versions import EntraIdentity, EntraMethod


class ArmCloud(msgspec.Struct, frozen=True, kw_only=True):
    """``endpoint`` without a trailing slash. ``authority`` is the host of Entra ID."""

    endpoint: str
    scope: str
    authority: str

    def identity(self, method: EntraMethod, *, client_id: str = "") -> EntraIdentity:
        """Who asks for the tokens."""
        return EntraIdentity(method=method, client_id=client_id, scope=self.scope, authority=self.authority)


CLOUDS: Final = {
    "public": ArmCloud(
        endpoint="https://management.azure.com", scope="https://management.azure.com/.default", authority="login.microsoftonline.com"
    ),
    "usgov": ArmCloud(
        endpoint="https://management.usgovcloudapi.net",
        scope="https://management.usgovcloudapi.net/.default",
        authority="login.microsoftonline.us",
    ),
    "china": ArmCloud(
        endpoint="https://management.chinacloudapi.cn",
        scope="https://management.chinacloudapi.cn/.default",
        authority="login.chinacloudapi.cn",
    ),
}
