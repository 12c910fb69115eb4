"""How did it end? The numbers of one demonstration, and the last page of the story."""

from typing import Final

import msgspec

from changeover.demo.story import TASK, Chapter, Told
from changeover.demo.voice import Voice
from changeover.demo.watching import Ending, phase_words
from changeover.rollout.state import Phase

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_UNDECIDED: Final = 5


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--json`` prints. ``endings`` are the rollouts that came to an end, expected or not.

    ``story`` is there when both expected outcomes were observed and no request failed; else ``problem`` is.
    """

    exit_code: int
    problem: str | None
    seed: int
    seconds: float
    texts: int
    requests: int
    streamed: int
    scored: int
    failed: int
    failures: tuple[str, ...]
    served: dict[str, int]
    endings: tuple[Ending, ...]
    story: Told | None


def conclude(voice: Voice, report: Report) -> None:
    """The last page: both comparisons, the log, and what was observed; or what went wrong, with the numbers."""
    if report.story is not None:
        voice.begin("4. What happened, and why")
        for chapter in (report.story.promotion, report.story.rollback):
            voice.show(f"\n$ changeover compare {TASK}\n{chapter.table}")
        voice.show(f"\n$ changeover events\n{report.story.events_table}")
        voice.show("")
        for chapter in (report.story.promotion, report.story.rollback):
            voice.say(outcome_line(chapter))
    else:
        voice.begin("The story stopped short")
        voice.say(report.problem or "")
    voice.say(totals_line(report))


def outcome_line(chapter: Chapter) -> str:
    """How a rollout ended, what it took, and why: what tripped, or what every gate showed."""
    ending = chapter.ending
    spent = ", ".join(f"{count:,} at {percent} %" for percent, count in ending.requests.items() if count)
    shown = "; ".join(f"{verdict.criterion}, {verdict.sentence}" for verdict in chapter.comparison.assessment.verdicts)
    why = shown if ending.phase is Phase.COMPLETED else ending.reason
    return f"{ending.candidate} {phase_words(ending.phase)} after {ending.seconds:.1f} s ({spent} requests), because {why}"


def totals_line(report: Report) -> str:
    return (
        f"{report.requests:,} requests ({report.streamed:,} streamed), {report.failed} failed, {report.scored:,} scored; "
        f"{report.seconds:.0f} s; seed {report.seed}"
    )
