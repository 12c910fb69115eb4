"""Until when does a deployment serve, and who says so? Its region where Azure was asked, else a provider's published list."""

from typing import NamedTuple

from changeover.settings.rules.facts import Case
from changeover.versions import Deployment
from changeover.versions.dates import day_words


class End(NamedTuple):
    """``at``: Unix seconds. ``said_by`` in words. ``is_over``: the region itself says that it no longer serves."""

    at: float
    said_by: str
    is_over: bool = False

    def __str__(self) -> str:
        return f"retires on {day_words(self.at)} ({self.said_by})"


def known_end(case: Case, deployment: Deployment) -> End | None:
    """``None``: nobody said."""
    read = case.read_back(deployment.name)
    if read is not None and read.retires_at is not None:
        return End(read.retires_at, "its region says", is_over=read.is_retired)
    listed = case.facts.listed
    account = case.declared.accounts.get(deployment.account)
    if listed is None or account is None or account.kind != listed.provider:
        return None
    row = listed.row_of(deployment.model)
    if row is None or row.retires_at is None:
        return None
    return End(row.retires_at, f"list of {listed.as_of}")
