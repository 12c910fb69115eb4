"""``Destination`` through apprise, which knows a hundred notification services by a URL each. It is an extra.

Its URLs hold passwords, and its log tells of URLs: that log is shut.
"""

import asyncio
import importlib.util
import logging
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Final

from changeover.ports.alerts import AlertFailedError, Message
from changeover.settings.declared_alert import DeclaredAlert
from changeover.versions import SecretReference

TIMEOUT_S: Final = 60.0
INSTALL_HINT: Final = "pip install 'changeover[notify]'"
_NOT_INSTALLED: Final = f"apprise is not installed; install it: {INSTALL_HINT}"

_KINDS: Final = {"rolled_back": "failure", "paused": "warning", "undecided": "warning", "drift": "warning", "retirement": "warning"}
_KINDS_ELSE: Final = "info"

Resolve = Callable[[SecretReference], str | None]


class AppriseDestination:
    """See ``Destination``. The reference may hold several URLs, separated by spaces: they succeed or fail as one."""

    def __init__(self, declared: DeclaredAlert, *, resolve: Resolve) -> None:
        self._declared = declared
        self._resolve = resolve

    @property
    def name(self) -> str:
        """See ``Destination``."""
        return self._declared.name

    @property
    def topics(self) -> Sequence[str]:
        """See ``Destination``."""
        return self._declared.topics

    @property
    def link(self) -> str | None:
        """See ``Destination``."""
        return self._declared.link

    def fault(self) -> str:
        """What would keep every message from it, as far as that is known without calling it; empty when nothing does."""
        if importlib.util.find_spec("apprise") is None:
            return _NOT_INSTALLED
        return "" if self._urls() else f"found nothing in {self._declared.target}; expected a URL of apprise"

    def _urls(self) -> str:
        return (self._resolve(self._declared.target) or "").strip()

    async def send(self, message: Message, *, now: float) -> None:  # noqa: ARG002  nothing is signed by the time
        """See ``Destination``."""
        fault = self.fault()
        if fault:
            raise AlertFailedError(fault)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                problem = await asyncio.to_thread(_notify, self._urls(), message)
        except TimeoutError:
            raise AlertFailedError(f"it was not done within {TIMEOUT_S:g} s") from None
        if problem:
            raise AlertFailedError(problem.format(target=self._declared.target))


def _notify(urls: str, message: Message) -> str:
    """Send to every service of ``urls``; what went wrong, or nothing."""
    with warnings.catch_warnings():
        # Its plugins use what Python is about to drop.
        warnings.simplefilter("ignore")
        import apprise

        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        sender: Any = apprise.Apprise(asset=apprise.AppriseAsset(app_id="changeover", app_desc="changeover", app_url=""))
        if not sender.add(urls):
            return "found no URL in {target} that apprise knows; expected one such as mailto:// or slack://"
        kind = _KINDS.get(message.topic, _KINDS_ELSE)
        sent = sender.notify(body=_body(message), title=f"changeover: {message.what}", notify_type=kind, body_format="text")
    return "" if sent else "the service did not take it"


def _body(message: Message) -> str:
    rollback = f"To roll back: {message.rollback}" if message.rollback and message.rollback not in message.text else ""
    return "\n".join(line for line in (message.text, rollback, message.link) if line)
