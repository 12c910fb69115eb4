"""Commands that put something up to look at: the demonstration, and a local Azure to rehearse against."""

import sys

import click

from changeover.console.taught import Taught


@click.command(cls=Taught, examples=("changeover demo", "changeover demo --seed 7 --json"))
@click.option("--seed", type=int, help="Fixes the texts and their order, and the stage's latencies.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@click.option("--keep", is_flag=True, help="Keep its folder.")
@click.option("--open", "stay", is_flag=True, help="Leave server and traffic running at the end, to look around, until Ctrl-C.")
def demo(seed: int | None, as_json: bool, keep: bool, stay: bool) -> None:
    """See the whole story on this machine: one version promoted, one rolled back, on real text.

    Exits 0 when both outcomes were observed and no request failed, 5 when no verdict came, else 1.
    """
    from changeover.demo.run import DemoOptions, run_demo

    sys.exit(run_demo(DemoOptions(seed=seed, json=as_json, keep=keep, open=stay)))


@click.command(
    cls=Taught,
    examples=("AZURE_OPENAI_API_KEY=any-text changeover azure-sim --port 8500", "changeover azure-sim --help"),
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def azure_sim(arguments: tuple[str, ...]) -> None:
    """Run a local Azure to rehearse against."""
    from changeover.azure_sim.main import run

    sys.exit(run(arguments))
