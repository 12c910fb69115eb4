"""How does the file declare an account, and where its key is found?"""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, model_validator

from changeover.settings import entra as identities
from changeover.settings.endpoints import ENDPOINT_EXPECTED, endpoint_fault
from changeover.settings.shape_base import Shape, expected, matches
from changeover.versions import AccountKind, EntraMethod

API_EXPECTED: Final = 'v1, or the date of the dated form, such as "2024-10-21"'
SUBSCRIPTION_EXPECTED: Final = "the id of the Azure subscription that the resource is in, such as 00000000-0000-0000-0000-000000000000"
GROUP_EXPECTED: Final = "the resource group that the resource is in, such as rg-genai-prod"
_GROUP: Final = r"^[A-Za-z0-9_.()-]{0,89}[A-Za-z0-9_()-]$"
_API: Final = r"^(v1|20[0-9]{2}-[0-9]{2}-[0-9]{2}(-preview)?)$"
_ENV: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"


def _endpoint(text: str) -> str:
    found = endpoint_fault(text)
    if found:
        raise expected(ENDPOINT_EXPECTED, found)
    return text


def _environment_name(text: str) -> str:
    if not re.fullmatch(_ENV, text):
        raise expected("the name of an environment variable, such as AZURE_OPENAI_API_KEY", "something else (not shown)")
    return text


class AuthShape(Shape):
    """{env: NAME}, {file: PATH} or {entra: default}: where the key is found, never the key"""

    LATER = frozenset({"keyvault"})

    env: Annotated[str, AfterValidator(_environment_name)] | None = Field(None, description="the name of an environment variable")
    file: Annotated[str, Field(min_length=1)] | None = Field(None, description="the path of a file that holds the key")
    entra: EntraMethod | None = Field(None, description=identities.METHOD_EXPECTED)
    client_id: Annotated[str, matches(identities.CLIENT_ID, identities.CLIENT_ID_EXPECTED)] | None = Field(
        None, description=identities.CLIENT_ID_EXPECTED
    )
    cloud: identities.CloudName | None = Field(None, description=identities.CLOUD_EXPECTED)
    scope: Annotated[str, matches(identities.SCOPE, identities.SCOPE_EXPECTED)] | None = Field(None, description=identities.SCOPE_EXPECTED)

    @model_validator(mode="after")
    def _one(self) -> "AuthShape":
        fault = identities.auth_fault([self.env, self.file], self.entra, about_entra=[self.client_id, self.cloud, self.scope])
        if fault is not None:
            raise expected(*fault)
        return self


class AccountShape(Shape):
    """an account: {kind: azure-openai, endpoint: https://NAME.openai.azure.com}"""

    kind: AccountKind = Field(description="azure-openai, openai, openai-compatible or anthropic")
    endpoint: Annotated[str, AfterValidator(_endpoint)] | None = Field(None, description=ENDPOINT_EXPECTED)
    auth: AuthShape | None = Field(None, description="{env: NAME}, {file: PATH} or {entra: default}: where the key is found, never the key")
    api: Annotated[str, Field(json_schema_extra={"pattern": _API}), matches(_API, API_EXPECTED)] | None = Field(
        None, description=API_EXPECTED
    )
    subscription: (
        Annotated[str, Field(json_schema_extra={"pattern": identities.CLIENT_ID}), matches(identities.CLIENT_ID, SUBSCRIPTION_EXPECTED)]
        | None
    ) = Field(None, description=SUBSCRIPTION_EXPECTED)
    resource_group: Annotated[str, Field(json_schema_extra={"pattern": _GROUP}), matches(_GROUP, GROUP_EXPECTED)] | None = Field(
        None, description=GROUP_EXPECTED
    )

    @model_validator(mode="after")
    def _both(self) -> "AccountShape":
        if (self.subscription is None) != (self.resource_group is None):
            found = "resource_group alone" if self.subscription is None else "subscription alone"
            raise expected("subscription and resource_group together, or neither", found)
        return self
