"""What the file declares about alerts: where they go, what they are about, and when the week is summed up."""

from typing import Final, Literal

import msgspec

from changeover.rollout.topics import DEFAULT_TOPICS
from changeover.versions import SecretReference
from changeover.versions.naming import DEFAULT_POLICY

WEEK_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class DeclaredAlert(msgspec.Struct, frozen=True, kw_only=True):
    """One destination. ``target`` is where its address is found, ``secret`` where what its messages are signed with is;
    both are secrets. ``link`` is the base of the links in its messages, where it is not the control plane's own address.
    """

    kind: Literal["webhook", "apprise"]
    target: SecretReference
    secret: SecretReference | None = None
    topics: tuple[str, ...] = DEFAULT_TOPICS
    link: str | None = None

    @property
    def name(self) -> str:
        """How it is called in logs and answers: by where its address is found."""
        return f"{self.kind} {self.target}"


class SummaryMoment(msgspec.Struct, frozen=True, kw_only=True):
    """When the week is summed up, in UTC. ``day`` counts from Monday, 0."""

    day: int = WEEK_DAYS.index("fri")
    minute: int = 15 * 60
    """Of the day."""


class DeclaredPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Rules for people. With ``four_eyes`` whoever started a rollout does not approve it. ``name`` is what deployments are called."""

    four_eyes: bool = False
    summary: SummaryMoment = SummaryMoment()
    name: str = DEFAULT_POLICY
