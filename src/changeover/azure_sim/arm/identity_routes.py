"""How do clients get tokens here? As a machine's identity, as an application with a secret or an assertion; and how they find the way."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from changeover.azure_sim.arm.arm_request import ArmRequest
from changeover.azure_sim.arm.callers import MANAGED_IDENTITY, Callers
from changeover.azure_sim.arm.replies import ArmReply, Json

_DEFAULT = "/.default"


def identity_answer(request: ArmRequest, callers: Callers, *, life_s: float) -> ArmReply | None:
    """``None`` for a path that has nothing to do with identity."""
    match request.low:
        case ["msi", "token"]:
            return _app_service(request, callers, life_s)
        case ["metadata", "identity", "oauth2", "token"]:
            return _machine(request, callers, life_s)
        case ["metadata", "endpoints"]:
            return ArmReply(body=_endpoints(request.base, tenant=callers.tenant))
        case [tenant, "oauth2", "v2.0", "token"]:
            return _token(request, callers, tenant, life_s)
        case [tenant, "v2.0", ".well-known", "openid-configuration"]:
            return ArmReply(body=_directions(request.base, tenant))
        case ["common", "discovery", "instance"]:
            return ArmReply(body={"tenant_discovery_endpoint": f"{request.base}/{callers.tenant}/v2.0/.well-known/openid-configuration"})
        case _:
            return None


def _app_service(request: ArmRequest, callers: Callers, life_s: float) -> ArmReply:
    if not callers.is_secret(request.headers.get("x-identity-header", "")):
        return ArmReply(status=401, body={"statusCode": 401, "message": "found a wrong X-IDENTITY-HEADER; expected the stage's key"})
    return _given(request.query, callers, life_s)


def _machine(request: ArmRequest, callers: Callers, life_s: float) -> ArmReply:
    if request.headers.get("metadata", "").lower() != "true":
        return ArmReply(status=400, body={"error": "invalid_request", "error_description": "Required metadata header not specified"})
    return _given(request.query, callers, life_s)


def _given(query: Mapping[str, str], callers: Callers, life_s: float) -> ArmReply:
    resource = query.get("resource", "")
    if not resource:
        return ArmReply(status=400, body={"error": "invalid_request", "error_description": "Required query variable 'resource' is missing"})
    client_id = query.get("client_id", MANAGED_IDENTITY)
    token, until = callers.token(audience=resource, client_id=client_id, life_s=life_s)
    shown = {"access_token": token, "expires_on": str(int(until)), "expires_in": str(int(life_s)), "resource": resource}
    return ArmReply(body={**shown, "token_type": "Bearer", "client_id": client_id})


def _token(request: ArmRequest, callers: Callers, tenant: str, life_s: float) -> ArmReply:
    """The client credentials grant."""
    form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
    fault = _fault(form, callers, tenant)
    if fault is not None:
        return fault
    audience = form.get("scope", "").split(" ")[0].removesuffix(_DEFAULT)
    token, _ = callers.token(audience=audience, client_id=form["client_id"], life_s=life_s)
    return ArmReply(body={"token_type": "Bearer", "expires_in": int(life_s), "ext_expires_in": int(life_s), "access_token": token})


def _fault(form: Mapping[str, str], callers: Callers, tenant: str) -> ArmReply | None:
    if tenant != callers.tenant.lower():
        return _no(400, "invalid_request", f"AADSTS90002: Tenant '{tenant}' not found.")
    if form.get("grant_type") != "client_credentials":
        return _no(400, "unsupported_grant_type", f"AADSTS70003: The app requested an unsupported grant type '{form.get('grant_type')}'.")
    if not form.get("client_id"):
        return _no(400, "invalid_request", "AADSTS900144: The request body must contain the following parameter: 'client_id'.")
    if not form.get("client_assertion") and not callers.is_secret(form.get("client_secret", "")):
        said = "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value."
        return _no(401, "invalid_client", said)
    return None


def _no(status: int, error: str, description: str) -> ArmReply:
    return ArmReply(status=status, body={"error": error, "error_description": description})


def _directions(base: str, tenant: str) -> Json:
    return {
        "issuer": f"{base}/{tenant}/v2.0",
        "authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/{tenant}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/devicecode",
        "jwks_uri": f"{base}/{tenant}/discovery/v2.0/keys",
        "response_types_supported": ["code", "id_token", "token"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
    }


def _endpoints(base: str, *, tenant: str) -> Json:
    """What the ``az`` client reads of a cloud that is registered by its address."""
    return {
        "name": "ChangeoverSim",
        "resourceManager": base,
        "portal": base,
        "graph": base,
        "graphAudience": base,
        "gallery": base,
        "batch": base,
        "media": base,
        "sqlManagement": base,
        "vmImageAliasDoc": base,
        "activeDirectoryDataLake": base,
        "microsoftGraphResourceId": base,
        "authentication": {"loginEndpoint": base, "audiences": [base], "tenant": tenant, "identityProvider": "AAD"},
        "suffixes": {
            "keyVaultDns": "vault.sim",
            "storage": "core.sim",
            "sqlServerHostname": "database.sim",
            "acrLoginServer": "azurecr.sim",
            "azureDataLakeStoreFileSystem": "azuredatalakestore.sim",
            "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.sim",
        },
    }
