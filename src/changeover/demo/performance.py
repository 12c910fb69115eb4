"""How is the story put on? Stage, server and application are started, the story is told, the report is made, all is taken down."""

import asyncio
import contextlib
import json
import os
import random
import secrets
import shutil
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Final, cast

import msgspec

from changeover.demo.application import Application, sdk_client
from changeover.demo.children import ChildError, Children, child_environment
from changeover.demo.control import Control
from changeover.demo.failure import StoppedShortError, UndecidedError
from changeover.demo.marking import Marker
from changeover.demo.report import EXIT_FAILED, EXIT_OK, EXIT_UNDECIDED, Report, conclude
from changeover.demo.run import SEED_DEFAULT, DemoOptions
from changeover.demo.scene import Scene
from changeover.demo.story import TASK, Story, Told
from changeover.demo.voice import Voice
from changeover.evaluation.stdlib_texts import NoTextsError, Text, load_texts
from changeover.ports.serving import CONFIG_NAME, SERVER_FILE_NAME, STATE_NAME, ServerRecord
from changeover.settings.file import parse

REQUESTS_PER_SECOND: Final = 350.0
KEY_ENV: Final = "CHANGEOVER_DEMO_KEY"
COLUMNS_MIN: Final = 100
COLUMNS_DEFAULT: Final = 140
STAGE: Final = "stage"
SERVER: Final = "server"


async def perform(options: DemoOptions, folder: Path) -> int:
    """The exit code. Progress goes to standard output, with ``json`` to standard error."""
    voice = Voice(sys.stderr if options.json else sys.stdout)
    try:
        report = await _perform(options, folder, voice)
    except (StoppedShortError, NoTextsError) as error:
        sys.stderr.write(f"changeover demo: {error}\n")
        return EXIT_FAILED
    if options.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n")
    return report.exit_code


async def _perform(options: DemoOptions, folder: Path, voice: Voice) -> Report:
    began = time.monotonic()
    seed = SEED_DEFAULT if options.seed is None else options.seed
    voice.say(f"seed {seed}; everything runs in {folder}, on loopback, on ports the system chose")
    async with _standing(folder, seed=seed, voice=voice) as (children, server):
        texts = load_texts()
        voice.say(
            f"{len(texts):,} texts out of Python's own standard library; each author's first line is the reference, the rest the document"
        )
        async with Control(Path(server.socket)) as control:
            marker = Marker(control.give_scores)
            application = _application(server, texts, marker, seed=seed)
            scene = Scene(server=control, traffic=application, processes=children, voice=voice, requests_max=options.requests_max)
            story = Story(scene)
            told, problem = await _tell(story, application, marker)
            report = Report(
                exit_code=_exit_code(told, problem),
                problem=None if problem is None else str(problem),
                seed=seed,
                seconds=round(time.monotonic() - began, 1),
                texts=len(texts),
                requests=application.sent,
                streamed=application.streamed,
                scored=marker.given,
                failed=application.failed,
                failures=tuple(application.failures),
                served=dict(application.served),
                endings=tuple(story.endings),
                story=told,
            )
            conclude(voice, report)
        if options.open:
            await _until_cancelled(voice, server, folder)
    return report


async def _tell(story: Story, application: Application, marker: Marker) -> tuple[Told | None, StoppedShortError | None]:
    """The story while the application runs; every answer's score is posted before the last word."""
    told: Told | None = None
    problem: StoppedShortError | None = None
    try:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(application.run())
            group.create_task(marker.post())
            try:
                told = await story.tell()
            except StoppedShortError as error:
                problem = error
            application.stop()
            await running
            marker.stop()
    except BaseExceptionGroup as errors:
        found = _first(errors)
        if not isinstance(found, StoppedShortError):
            raise found from errors
        problem = problem or found
    finally:
        await application.close()
    if problem is None and application.failed:
        problem = StoppedShortError(f"{application.failed} client requests failed")
    return (told if problem is None else None), problem


def _first(error: BaseException) -> BaseException:
    """What a group is about, whoever wrapped it."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error


def _exit_code(told: Told | None, problem: StoppedShortError | None) -> int:
    if isinstance(problem, UndecidedError):
        return EXIT_UNDECIDED
    return EXIT_OK if told is not None else EXIT_FAILED


def _application(server: ServerRecord, texts: tuple[Text, ...], marker: Marker, *, seed: int) -> Application:
    return Application(
        sdk_client(f"{server.gateway}/v1"),
        task=TASK,
        texts=texts,
        dice=random.Random(seed),  # noqa: S311 - which text comes next, no secret
        rate=REQUESTS_PER_SECOND,
        answered=marker.mark,
    )


@asynccontextmanager
async def _standing(folder: Path, *, seed: int, voice: Voice) -> AsyncGenerator[tuple[Children, ServerRecord]]:
    """Stage and server as processes of their own, until the end of the block. Raises ``ChildError``."""
    children = Children(folder, child_environment(os.environ, {KEY_ENV: secrets.token_hex(16), "COLUMNS": str(_columns())}))
    try:
        endpoint = await _start_stage(children, seed=seed)
        voice.say(f"stage at {endpoint}: three real extractive summarisers; text and quality are real, latency and token counts modelled")
        config = write_config(folder, endpoint=endpoint)
        server = await _start_server(children, folder, config, seed=seed)
        voice.say(f"changeover serve: gateway {server.gateway}, control {server.control}, file {config}")
        voice.say(evidence_words(config))
        yield children, server
    finally:
        await children.stop_all()


def _columns() -> int:
    """As wide as the terminal, and never so narrow that a table cannot be read."""
    return max(COLUMNS_MIN, shutil.get_terminal_size(fallback=(COLUMNS_DEFAULT, 24)).columns)


async def _start_stage(children: Children, *, seed: int) -> str:
    await children.start(STAGE, "changeover.azure_sim", "--port", "0", "--key-env", KEY_ENV, "--seed", str(seed), "--lifeline")
    line = await children.first_line(STAGE)
    try:
        ready = json.loads(line)
        return str(ready["url"])
    except (ValueError, KeyError, TypeError) as error:
        raise ChildError(f"{STAGE} said {line!r}; expected where it stands") from error


async def _start_server(children: Children, folder: Path, config: Path, *, seed: int) -> ServerRecord:
    """With the seed the salts are the same at every run, and so is where every unit of a salt stands."""
    arguments = ("-c", str(config), "--port", "0", "--control-port", "0", "--lifeline", "--seed", str(seed))
    await children.start(SERVER, "changeover", "serve", *arguments)
    found = await children.first_file(SERVER, folder / STATE_NAME / SERVER_FILE_NAME)
    try:
        return msgspec.json.decode(found, type=ServerRecord)
    except msgspec.DecodeError as error:
        raise ChildError(f"{SERVER} wrote {found!r}; expected where it can be reached") from error


def write_config(folder: Path, *, endpoint: str) -> Path:
    """The demonstration's file with the stage's address in it."""
    template = resources.files("changeover.demo").joinpath(CONFIG_NAME).read_text(encoding="utf-8")
    path = folder / CONFIG_NAME
    path.write_text(template.replace("{endpoint}", endpoint).replace("{key_env}", KEY_ENV), encoding="utf-8")
    return path


def evidence_words(config: Path) -> str:
    """The demonstration's blocks, as its file declares them."""
    rules = parse(config.read_text(encoding="utf-8")).evidence
    return (
        f"evidence in blocks of {rules.block_s:g} s, at least {rules.blocks_min} at a weight, scores awaited for "
        f"{rules.score_timeout_s:g} s; that is a demonstration's haste: a real task uses blocks of 30 minutes"
    )


async def _until_cancelled(voice: Voice, server: ServerRecord, folder: Path) -> None:
    """Stay for a look around. The signal that ends the stay is no failure of the story."""
    voice.say(f"still running: {server.gateway}/v1; try `changeover status` in {folder}; Ctrl-C ends it")
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    task = asyncio.current_task()
    assert task is not None
    task.uncancel()
