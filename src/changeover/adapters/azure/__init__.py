"""Azure Resource Manager over HTTP: about ten calls, no SDK."""

from changeover.adapters.azure.client import AzureCloud
from changeover.adapters.azure.clouds import CLOUDS, ArmCloud
from changeover.adapters.azure.http import ArmHttp

__all__ = ["CLOUDS", "ArmCloud", "ArmHttp", "AzureCloud"]
