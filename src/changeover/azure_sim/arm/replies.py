"""What does Azure Resource Manager answer, and how does it say no? Values only; texts as observed, or in the same manner."""

from typing import Any, Final, cast

import msgspec

Json = dict[str, Any]

RETRY_AFTER_S: Final = 1
"""Sent with every answer that asks to come back: clients of Azure read 0 as unset and wait half a minute."""


class ArmReply(msgspec.Struct, frozen=True, kw_only=True):
    """``body`` is ``None`` for an answer without one."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = {}


class ArmError(Exception):
    """A refusal in Azure's envelope."""

    def __init__(self, status: int, code: str, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}

    def error(self) -> Json:
        return {"code": self.code, "message": str(self)}

    def reply(self) -> ArmReply:
        return ArmReply(status=self.status, body={"error": self.error()}, headers=self.headers)


def as_object(value: object) -> Json | None:
    """A JSON object, or ``None`` for anything else."""
    return cast("Json", value) if isinstance(value, dict) else None


def missing_api_version() -> ArmError:
    return ArmError(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")


def unknown_api_version(version: str, *, location: str, kind: str, known: tuple[str, ...], locations: tuple[str, ...]) -> ArmError:
    return ArmError(
        400,
        "NoRegisteredProviderFound",
        f"No registered resource provider found for location '{location}' and API version '{version}' for type '{kind}'. The supported "
        f"api-versions are '{', '.join(known)}'. The supported locations are '{', '.join(locations)}'.",
    )


def no_such_route(path: str) -> ArmError:
    return ArmError(404, "InvalidResourceType", f"The resource type could not be found for the path '{path}'.")


def wrong_method(method: str) -> ArmError:
    return ArmError(405, "MethodNotAllowed", f"The http method '{method}' is not supported for this resource.")


def no_such_subscription(subscription: str) -> ArmError:
    return ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def no_such_group(group: str) -> ArmError:
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def no_such_resource(kind: str, *, group: str) -> ArmError:
    """``kind`` is type and name: ``Microsoft.CognitiveServices/accounts/NAME``."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}' under resource group '{group}' was not found. For more details please go to "
        "https://aka.ms/ARMResourceNotFoundFix",
    )


def invalid_content(why: str) -> ArmError:
    return ArmError(400, "InvalidRequestContent", f"The request content was invalid and could not be deserialized: '{why}'.")


def invalid_properties(message: str) -> ArmError:
    return ArmError(400, "InvalidResourceProperties", message)


def scale_settings_are_gone() -> ArmError:
    return invalid_properties(
        "The scale settings of account deployment is deprecated since API version '2023-05-01', please use 'sku' instead."
    )


def unsupported_sku(sku: str, *, model: str, version: str) -> ArmError:
    return invalid_properties(
        f"The specified SKU '{sku}' of account deployment is not supported by the model '{model}' version: '{version}'."
    )


def unsupported_model(model: Json) -> ArmError:
    return ArmError(400, "DeploymentModelNotSupported", f"The model '{_described(model)}' of account deployment is not supported.")


def closed_to_new_customers(model: Json) -> ArmError:
    return ArmError(
        400,
        "DeploymentModelNotSupported",
        f"Creating account deployment is not supported by the model '{model.get('name', '')}'. This is usually because there are better "
        "models available for the similar functionality.",
    )


def retired_model(model: Json, *, since: str) -> ArmError:
    """``since`` as the service writes it: month, day, year and time."""
    return ArmError(400, "ServiceModelDeprecated", f"The model '{_described(model)}' has been deprecated since {since}.")


def short_of_quota(label: str, *, asked: int, used: int, limit: int) -> ArmError:
    return ArmError(
        400,
        "InsufficientQuota",
        f"This operation require {asked} new capacity in quota {label}, which is bigger than the current available capacity "
        f"{max(0, limit - used)}. The current quota usage is {used} and the quota limit is {limit} for quota {label}.",
    )


def conflict(account_id: str) -> ArmError:
    return ArmError(
        409,
        "RequestConflict",
        f"Another operation is being performed on the parent resource '{account_id}'. Please try again later.",
        headers={"retry-after": str(RETRY_AFTER_S)},
    )


def has_children() -> ArmError:
    return ArmError(409, "CannotDeleteResource", "Can not delete resource before nested resources are deleted.")


def changed_meanwhile(etag: str) -> ArmError:
    return ArmError(412, "PreconditionFailed", f"The condition '{etag}' in the If-Match header was not satisfied.")


def _described(model: Json) -> str:
    sent = {key: str(model.get(key) or "") for key in ("publisher", "format", "name", "version", "source", "sourceAccount")}
    return (
        f"Publisher: {sent['publisher']}, Format: {sent['format']}, Name: {sent['name']}, Version: {sent['version']}, "
        f"Source: {sent['source']}, SourceAccount: {sent['sourceAccount']}"
    )
