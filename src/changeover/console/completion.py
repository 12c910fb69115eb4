"""``changeover completion``: the script by which a shell completes commands and options."""

from typing import Final

import click
from click.shell_completion import get_completion_class

from changeover.console.taught import Taught

SHELLS: Final = ("bash", "zsh", "fish")
PROGRAM: Final = "changeover"
VARIABLE: Final = "_CHANGEOVER_COMPLETE"


@click.command(
    cls=Taught,
    examples=("changeover completion bash", "changeover completion zsh", "changeover completion fish"),
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of SHELL, to be read by it at its start.

    Completing asks the program itself, so the script never grows old. To have it always:

    \b
    bash: echo 'eval "$(changeover completion bash)"' >> ~/.bashrc
    zsh:  changeover completion zsh > ~/.zfunc/_changeover   (with ~/.zfunc in fpath)
    fish: changeover completion fish > ~/.config/fish/completions/changeover.fish
    """  # noqa: D301 - click's mark for lines that stay as they are
    kind = get_completion_class(shell)
    assert kind is not None, "click knows the shells that are offered"
    root = context.find_root().command
    click.echo(kind(root, {}, PROGRAM, VARIABLE).source())
