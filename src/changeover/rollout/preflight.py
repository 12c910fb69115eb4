"""May a rollout start after its candidate was tried? From what was found to a refusal that says what to change."""

from typing import Final, Literal

import msgspec

from changeover.rollout.refusal import Refusal
from changeover.versions import RequestSettings

PreflightCode = Literal["preflight_failed", "preflight_unverified"]

_SKIP: Final = "or start without this check, which is recorded: --skip-preflight --reason WHY"


class Unsupported(msgspec.Struct, frozen=True, kw_only=True):
    """``deployment`` refuses ``parameter``. ``value`` is the JSON that was sent, ``error`` the provider's own words, and
    ``setting`` the request setting that mends it, ``None`` where none does.
    """

    deployment: str
    parameter: str
    value: str
    error: str
    setting: str | None


class Unverified(msgspec.Struct, frozen=True, kw_only=True):
    """Why a deployment could not be tried, or not to the end. ``status`` is ``None`` where no answer came."""

    deployment: str
    reason: str
    hint: str = ""
    status: int | None = None


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What came of trying a candidate.

    ``shapes`` of ``known`` ones were tried, with ``sent`` requests in all; without any a plain request was sent. ``settings`` are
    each deployment's request settings with every mend in them. ``not_tried`` are parameters whose values could not be made up.
    """

    sent: int = 0
    shapes: int = 0
    known: int = 0
    unsupported: tuple[Unsupported, ...] = ()
    unverified: tuple[Unverified, ...] = ()
    settings: dict[str, RequestSettings] = {}
    not_tried: tuple[str, ...] = ()


class Preflight(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the start of a rollout rested on: recorded with it. ``skipped``: nobody tried the candidate, by order."""

    skipped: bool = False
    sent: int = 0
    shapes: int = 0
    known: int = 0
    not_tried: tuple[str, ...] = ()


class PreflightRefusal(Refusal):
    """The candidate does not take what the task is asked, or nobody knows whether it does.

    ``details`` are one line each; ``paste`` is YAML for ``changeover.yaml``.
    """

    def __init__(self, verdict: PreflightCode, message: str, *, hint: str, details: tuple[str, ...], paste: str = "") -> None:
        super().__init__("conflict", message, hint=hint)
        self.verdict: PreflightCode = verdict
        self.details = details
        self.paste = paste


def judged(task: str, candidate: str, findings: Findings) -> Preflight:
    """What is recorded when the rollout may start. Missing proof is no proof (rule I11).

    Raises:
        PreflightRefusal: the candidate refuses something, or could not be tried to the end.
    """
    if findings.unsupported:
        raise _refused(task, candidate, findings)
    if findings.unverified:
        raise _unknown(task, candidate, findings)
    return Preflight(sent=findings.sent, shapes=findings.shapes, known=findings.known, not_tried=findings.not_tried)


def _refused(task: str, candidate: str, findings: Findings) -> PreflightRefusal:
    found = findings.unsupported
    names = ", ".join(dict.fromkeys(each.parameter for each in found))
    details = tuple(_line(each) for each in found) + tuple(_unverified_line(each) for each in findings.unverified)
    paste = mending_yaml(findings)
    hint = "no request setting mends this: name another candidate, or change what the callers send"
    if paste:
        hint = f"give {candidate} these request settings, then start again; {_SKIP}"
    if paste and any(each.setting is None for each in found):
        hint = f"these request settings mend only a part of it; {_SKIP}"
    message = f"{candidate} refuses what {task} is asked with: {names}"
    return PreflightRefusal("preflight_failed", message, hint=hint, details=details, paste=paste)


def _unknown(task: str, candidate: str, findings: Findings) -> PreflightRefusal:
    details = tuple(_unverified_line(each) for each in findings.unverified)
    hints = "; ".join(dict.fromkeys(each.hint for each in findings.unverified if each.hint))
    return PreflightRefusal(
        "preflight_unverified",
        f"nobody knows whether {candidate} takes what {task} is asked with: it could not be tried",
        hint=f"{hints}; {_SKIP}" if hints else f"start again when it can be reached; {_SKIP}",
        details=details,
    )


def mending_yaml(findings: Findings) -> str:
    """The request settings of every deployment that needs others, to be pasted; empty when no setting helps."""
    mendable = dict.fromkeys(each.deployment for each in findings.unsupported if each.setting is not None)
    lines: list[str] = []
    for name in mendable:
        settings = findings.settings[name]
        lines += [f"  {name}:"]
        lines += ["    # beside its model and version; its system_prompt stays as it is"] if settings.system_prompt is not None else []
        lines += [f"    request: {_flow(settings)}"]
    return "\n".join(["deployments:", *lines]) if lines else ""


def _flow(settings: RequestSettings) -> str:
    parts: list[str] = []
    if settings.rename:
        parts.append(f"rename: {{{', '.join(f'{old}: {new}' for old, new in settings.rename.items())}}}")
    if settings.drop:
        parts.append(f"drop: [{', '.join(settings.drop)}]")
    if settings.set:
        parts.append(f"set: {{{', '.join(f'{name}: {_json(value)}' for name, value in settings.set.items())}}}")
    return f"{{{', '.join(parts)}}}"


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()


def _line(found: Unsupported) -> str:
    mend = found.setting or "no request setting changes it"
    return f'{found.deployment} refuses {found.parameter}: {found.value}: "{found.error}" -> {mend}'


def _unverified_line(found: Unverified) -> str:
    status = "" if found.status is None else f" (status {found.status})"
    return f"{found.deployment}: {found.reason}{status}"
