"""Where an oracle is at hand: in its own environment, which `make oracles` makes."""

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

REQUIRED = "CHANGEOVER_REQUIRE"


def oracle(package: str, *, module: str | None = None) -> Any:
    """The module of another project's ``package``. Without it the file is named as not run, or fails where it is required."""
    if find_spec(package) is not None:
        return import_module(module or package)
    reason = f"{package} is not here: it lives in an environment of its own, run `make oracles`"
    if package in os.environ.get(REQUIRED, "").split(","):
        pytest.fail(reason, pytrace=False)
    pytest.skip(f"not run: {reason}", allow_module_level=True)
