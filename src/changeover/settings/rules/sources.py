"""Can every criterion be judged? Those that a preset asks for and nobody gives scores for."""

from collections.abc import Iterator

from changeover.settings.paths import written
from changeover.settings.presets import WAYS_OUT
from changeover.settings.rules.book import NO_SOURCE
from changeover.settings.rules.facts import Case
from changeover.settings.rules.finding import Noted


def sources(case: Case) -> Iterator[Noted]:
    """A criterion that the file itself names without a source is a fault, and never comes this far."""
    for name, task in case.declared.tasks.items():
        for criterion, reason in task.criteria.left_out.items():
            way_out = WAYS_OUT[criterion]
            yield Noted(
                rule=NO_SOURCE,
                path=("tasks", name, "criteria", criterion),
                environment=case.environment(task.stable_pool or (task.stable,)),
                found=f"{criterion} left out ({reason})",
                expected=f"a source for {criterion}, or the decision to do without",
                remedy=way_out,
                covers=f"{written(('tasks', name))}: {criterion} is left out ({reason}); {way_out}",
            )
