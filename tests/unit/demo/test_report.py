"""The last page says what was observed and why, or what went wrong, with the numbers."""

import asyncio
from io import StringIO

from changeover.demo.report import Report, conclude
from changeover.demo.story import NEWEST, SHORTER, Story, Told
from changeover.demo.voice import Voice
from tests.unit.demo.fakes import PROMOTED, ROLLED_BACK, FakeWorld


def said(*, told: Told | None, problem: str | None = None) -> str:
    written = StringIO()
    report = Report(
        exit_code=1 if problem else 0,
        problem=problem,
        seed=7,
        seconds=41.2,
        texts=868,
        requests=8354,
        streamed=2500,
        scored=8354,
        failed=0,
        failures=(),
        served={},
        endings=(),
        story=told,
    )
    conclude(Voice(written), report)
    return written.getvalue()


def test_both_comparisons_the_log_and_both_reasons_are_shown() -> None:
    page = said(told=asyncio.run(Story(FakeWorld(PROMOTED, ROLLED_BACK).scene()).tell()))
    assert page.count("output of changeover compare docstring-summaries") == 2
    assert "output of changeover events" in page
    assert f"{SHORTER} completed" in page
    assert "because quality, a sentence; errors, a sentence" in page
    assert f"{NEWEST} rolled back" in page
    assert "because as the script says" in page
    assert "8,354 requests (2,500 streamed), 0 failed, 8,354 scored; 41 s; seed 7" in page


def test_a_story_that_stopped_short_says_why() -> None:
    page = said(told=None, problem="no verdict after 6,001 requests at 10 %")
    assert "The story stopped short" in page
    assert "no verdict after 6,001 requests at 10 %" in page
    assert "What happened" not in page
