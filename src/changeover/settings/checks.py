"""What does ``check`` of the file mean, and how would a file say it? Both ways."""

from collections.abc import Mapping

from changeover.settings.dates import date_text, day_at
from changeover.settings.declared_check import DeclaredCheck, Environment, Level, Silence
from changeover.settings.shape_check import ENVIRONMENTS, CheckShape, SilenceShape

Entry = dict[str, object]


def resolve_check(shape: CheckShape | None) -> DeclaredCheck:
    if shape is None:
        return DeclaredCheck()
    return DeclaredCheck(levels=dict(shape.rules or {}), silences=tuple(map(_silence, shape.silence or ())))


def check_entry(check: DeclaredCheck) -> Entry:
    """Only what is not as usual; empty where nothing is said."""
    rules: Entry = {rule: _levels(levels) for rule, levels in check.levels.items()}
    silences = [_silence_entry(each) for each in check.silences]
    return {name: value for name, value in {"rules": rules, "silence": silences}.items() if value}


def _silence(shape: SilenceShape) -> Silence:
    return Silence(
        rule=shape.rule,
        at=shape.at,
        reason=(shape.reason or "").strip(),
        until_at=None if shape.until is None else day_at(shape.until),
    )


def _levels(said: Mapping[Environment, Level]) -> Level | Entry:
    """One word where it holds everywhere."""
    if len(said) == len(ENVIRONMENTS) and len(set(said.values())) == 1:
        return next(iter(said.values()))
    return {**said}


def _silence_entry(silence: Silence) -> Entry:
    entry: Entry = {"rule": silence.rule, "at": silence.at}
    entry |= {"reason": silence.reason} if silence.reason else {}
    return entry | ({} if silence.until_at is None else {"until": date_text(silence.until_at)})
