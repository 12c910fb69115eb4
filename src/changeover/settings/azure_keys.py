"""Which keys has an account only in Azure?"""

from changeover.settings.declared import Fault
from changeover.settings.paths import Path, written
from changeover.settings.shape_accounts import AccountShape

_AZURE: tuple[str, ...] = ("subscription", "resource_group")


def azure_key_faults(name: str, shape: AccountShape) -> list[tuple[Path, Fault]]:
    """A fault for each that stands on an account of another kind."""
    if shape.kind == "azure-openai":
        return []
    paths: list[Path] = [("accounts", name, key) for key in _AZURE if getattr(shape, key) is not None]
    expected = "only azure-openai accounts to have one; take it out"
    return [(path, Fault(path=written(path), found=f"an account of kind {shape.kind}", expected=expected)) for path in paths]
