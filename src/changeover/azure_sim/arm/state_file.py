"""Does this Azure outlive its process? Where a file is named, everything is written to it after each change and read at the start."""

from pathlib import Path

import msgspec

from changeover.azure_sim.arm.declaration import DeclarationError
from changeover.azure_sim.arm.estate import Estate


def read_estate(path: Path) -> Estate | None:
    """``None`` where there is no file yet. Raises ``DeclarationError``."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Estate)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DeclarationError(f"{path}: found no readable file ({error.strerror}); expected the state of an earlier run") from error
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise DeclarationError(f"{path}: found {error}; expected the state of an earlier run; name another file to begin anew") from error


def write_estate(path: Path, estate: Estate) -> None:
    """Whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(msgspec.json.encode(estate))
    part.replace(path)
