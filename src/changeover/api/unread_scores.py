"""Which scores does nobody read? A misspelt name is taken like any other, and no criterion would ever miss it; so it is said.

Counted since the server's start, in bounded memory; scores that come later are looked at anew.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from changeover.api.answers import UnreadSource
from changeover.api.views import latest_rollout
from changeover.evidence.score import Score
from changeover.gates.criteria import Criteria
from changeover.rollout.world import World
from changeover.settings.declared import Declared, SettingsError
from changeover.settings.shape_faults import did_you_mean

SOURCES_MAX: Final = 100
"""So many sources are counted by name; there are no more until the next start."""

FILE_READ_EVERY_S: Final = 30.0
"""The file is not parsed for every score that nobody reads."""

Names = Mapping[str, frozenset[str]]
"""By task, the names of scores that some criterion of it reads."""


class UnreadScores:
    """The count, shared by all listeners of a server."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._declared: Names = {}
        self._read_at = float("-inf")

    def sources(self, task: str | None = None) -> tuple[UnreadSource, ...]:
        """Those of ``task`` and of requests that were not seen yet, or of all tasks; the most scores first."""
        return tuple(
            UnreadSource(task=about or None, name=name, scorer=scorer, count=count)
            for (about, name, scorer), count in self._counts.most_common()
            if task is None or about in ("", task)
        )

    def declared_names(self, read: Callable[[], Declared], now: float) -> Names:
        """What the file's criteria read; it may be half a minute old. A file with faults reads nothing."""
        if not 0 <= now - self._read_at < FILE_READ_EVERY_S:
            self._read_at = now
            try:
                self._declared = {name: names_of(task.criteria) for name, task in read().tasks.items()}
            except SettingsError:
                self._declared = {}
        return self._declared

    def note(self, unread: Iterable[tuple[Score, str]]) -> None:
        """Count scores, each with its task, empty where its request was not seen yet."""
        for score, task in unread:
            source = (task, score.name, score.scorer)
            if source in self._counts or len(self._counts) < SOURCES_MAX:
                self._counts[source] += 1


def names_of(criteria: Criteria) -> frozenset[str]:
    """The scores that these criteria read."""
    quality = criteria.quality.score if criteria.quality is not None else None
    harmful = criteria.safety.harmful if criteria.safety is not None else None
    return frozenset(name for name in (quality, harmful) if name is not None)


def rollout_names(world: World) -> Names:
    """What the active rollout of each task reads, or the latest one."""
    found: dict[str, frozenset[str]] = {}
    for name, task in world.tasks.items():
        rollout = latest_rollout(world, task)
        if rollout is not None:
            found[name] = names_of(rollout.plan.criteria)
    return found


def unread_of(scores: Sequence[Score], tasks: Mapping[str, str], names: Names) -> list[tuple[Score, str]]:
    """Those that no criterion of their task reads; where the request was not seen yet, no criterion of any task."""
    anywhere = frozenset[str]().union(*names.values())
    found: list[tuple[Score, str]] = []
    for score in scores:
        task = tasks.get(score.request_id, "")
        if score.name not in (names.get(task, frozenset()) if task else anywhere):
            found.append((score, task))
    return found


def joined_names(left: Names, right: Names) -> Names:
    """What either reads."""
    return {task: left.get(task, frozenset()) | right.get(task, frozenset()) for task in {*left, *right}}


def warnings_about(unread: Sequence[tuple[Score, str]], names: Names) -> tuple[str, ...]:
    """One sentence for each name and task."""
    counts = Counter((score.name, task) for score, task in unread)
    return tuple(_sentence(name, task, count, names) for (name, task), count in sorted(counts.items()))


def _sentence(name: str, task: str, count: int, names: Names) -> str:
    known = sorted(names.get(task, ()) if task else frozenset[str]().union(*names.values()))
    about = f"task {task}" if task else "requests not seen yet"
    noun = "score" if count == 1 else "scores"
    return f"{count} {noun} named {name!r} for {about}: no criterion reads them; read there: {did_you_mean(name, known)}"
