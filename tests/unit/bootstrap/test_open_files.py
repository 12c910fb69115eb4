"""A gateway opens as many connections as it is allowed to, not as many as a shell hands down."""

import logging
import resource
from collections.abc import Iterator

import pytest

from changeover.bootstrap.open_files import OPEN_FILES_WANTED, raise_open_files
from changeover.gateway.limits import Limits


@pytest.fixture(autouse=True)
def limits() -> Iterator[tuple[int, int]]:
    """A soft limit as low as a shell's, for the length of a test."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, before[1]))
    yield (1024, before[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_soft_limit_is_raised_as_far_as_is_wanted() -> None:
    assert raise_open_files(1500) == 1500
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 1500


def test_a_limit_that_is_high_enough_stays() -> None:
    assert raise_open_files(800) == 1024
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 1024


def test_a_hard_limit_in_the_way_is_told_with_what_it_means(limits: tuple[int, int], caplog: pytest.LogCaptureFixture) -> None:
    _, hard = limits
    if hard == resource.RLIM_INFINITY:
        assert raise_open_files() == OPEN_FILES_WANTED
        return
    with caplog.at_level(logging.WARNING):
        assert raise_open_files(hard + 1) == hard
    assert f"found a limit of {hard} open files, expected {hard + 1}" in caplog.text
    assert "LimitNOFILE" in caplog.text


def test_what_is_wanted_is_enough_for_every_caller_that_is_let_in() -> None:
    assert 2 * Limits().callers_max < OPEN_FILES_WANTED
