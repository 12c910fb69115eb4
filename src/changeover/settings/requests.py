"""Which changes of a request make sense together? Request settings resolved, their prompt fetched by whoever may read files."""

from collections.abc import Callable
from math import isfinite
from typing import Final

from changeover.settings.declared import Fault
from changeover.settings.paths import Path, written
from changeover.settings.shape_deployments import RequestShape, SystemPromptShape
from changeover.settings.shape_faults import shown
from changeover.versions import RequestSettings
from changeover.wire.request_settings import RESERVED

PromptFiles = Callable[[str], str | None]
"""The text of a file that the settings name, ``None`` when it cannot be read. A relative path is seen from the settings'
own folder; this room reads no files itself.
"""

PROMPT_CHARS_MAX: Final = 100_000

_STREAM_OPTIONS: Final = "stream_options"
"""May be dropped, for servers that refuse it; then a stream's usage is not known."""


def no_files(_path: str) -> str | None:
    """For texts that are to name no files."""
    return None


def resolve_request(shape: RequestShape, path: Path, files: PromptFiles) -> tuple[RequestSettings, list[tuple[Path, Fault]]]:
    """What ``shape``, which stands at ``path``, says, and every fault in it."""
    rename, drop, values = shape.rename or {}, tuple(dict.fromkeys(shape.drop or ())), shape.set or {}
    faults = _reserved(path, shape) + _renames(path, rename) + _contradictions(path, shape) + _no_json(path, shape)
    prompt, more = _prompt(shape.system_prompt, (*path, "system_prompt"), files)
    settings = RequestSettings(
        rename=rename,
        drop=drop,
        set=dict(values),
        system_prompt=prompt,
        system_prompt_mode=shape.system_prompt.mode if shape.system_prompt else "replace",
    )
    return settings, faults + more


def _reserved(path: Path, shape: RequestShape) -> list[tuple[Path, Fault]]:
    rename, kept = shape.rename or {}, {*RESERVED, _STREAM_OPTIONS}
    places = [((*path, "rename", old), name) for old, new in rename.items() for name in dict.fromkeys((old, new)) if name in kept]
    places += [((*path, "drop", index), name) for index, name in enumerate(shape.drop or ()) if name in RESERVED]
    places += [((*path, "set", name), name) for name in shape.set or {} if name in kept]
    expected = f"any parameter but {', '.join(sorted(RESERVED))}: they are never changed here; a system prompt has its own setting"
    return [_fault(at, shown(name), expected) for at, name in places]


def _renames(path: Path, rename: dict[str, str]) -> list[tuple[Path, Fault]]:
    first: dict[str, str] = {}
    faults: list[tuple[Path, Fault]] = []
    for old, new in rename.items():
        at = (*path, "rename", old)
        if old == new:
            faults.append(_fault(at, f"{shown(new)}, which is its name already", "another name; or take it out"))
        elif new in rename:
            faults.append(_fault(at, f"{shown(new)}, which is renamed itself", "a name that stays"))
        elif first.setdefault(new, old) != old:
            faults.append(_fault(at, f"{shown(new)}, the new name of {shown(first[new])} too", "one new name for one parameter"))
    return faults


def _contradictions(path: Path, shape: RequestShape) -> list[tuple[Path, Fault]]:
    """What a later step would undo: the order is rename, drop, set."""
    rename, dropped, values = shape.rename or {}, shape.drop or [], shape.set or {}
    faults = [
        _fault((*path, "rename", old), f"{shown(new)}, which is dropped", "a name that is sent; or drop the old one instead of renaming it")
        for old, new in rename.items()
        if new in dropped
    ]
    faults += [
        _fault((*path, "rename", old), f"{shown(new)}, which is set", "a name that is not set; or only the setting")
        for old, new in rename.items()
        if new in values
    ]
    for index, name in enumerate(dropped):
        if name in rename:
            faults.append(_fault((*path, "drop", index), f"{shown(name)}, which is renamed", "a parameter that keeps its name"))
        elif name in values:
            faults.append(_fault((*path, "drop", index), f"{shown(name)}, which is set", "either to drop it or to set it"))
        elif name in dropped[:index]:
            faults.append(_fault((*path, "drop", index), f"{shown(name)} a second time", "every parameter once"))
    return faults


def _no_json(path: Path, shape: RequestShape) -> list[tuple[Path, Fault]]:
    return [
        _fault((*path, "set", name), "a number that JSON does not know", "a value that can be sent as JSON")
        for name, value in (shape.set or {}).items()
        if not _is_json(value)
    ]


def _is_json(value: object) -> bool:
    match value:
        case float():
            return isfinite(value)
        case dict() | list():
            inner: list[object] = list(value.values()) if isinstance(value, dict) else value  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType, reportUnknownVariableType]
            return all(_is_json(item) for item in inner)
        case _:
            return True


def _prompt(shape: SystemPromptShape | None, path: Path, files: PromptFiles) -> tuple[str | None, list[tuple[Path, Fault]]]:
    if shape is None:
        return None, []
    text, key = (shape.text, "text") if shape.file is None else (files(shape.file), "file")
    if text is None:
        found = f"{shown(shape.file)}, a file that cannot be read as UTF-8 text"
        return None, [_fault((*path, key), found, "a readable text file; its path is seen from the folder of this file")]
    if len(text) > PROMPT_CHARS_MAX:
        return None, [_fault((*path, key), f"a prompt of {len(text)} characters", f"at most {PROMPT_CHARS_MAX}; shorten it")]
    if not text.strip():
        return None, [_fault((*path, key), "an empty prompt", "a prompt with words; or take the setting out")]
    return text, []


def _fault(path: Path, found: str, expected: str) -> tuple[Path, Fault]:
    return path, Fault(path=written(path), found=found, expected=expected)
