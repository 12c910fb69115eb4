"""By which token do gateways join? The one in the environment, where several control planes share one, else that of the state
directory.
"""

from collections.abc import Mapping
from typing import Final

from changeover.bootstrap.state_dir import StateDir, StateDirError
from changeover.ports.dice import Dice
from changeover.ports.serving import PLANE_TOKEN_VARIABLE

CHARACTERS_MIN: Final = 16


def plane_token_of(state: StateDir, dice: Dice, environment: Mapping[str, str]) -> str:
    """The token.

    Raises:
        StateDirError: the environment's is so short that it could be guessed.
    """
    shared = environment.get(PLANE_TOKEN_VARIABLE, "").strip()
    if not shared:
        return state.plane_token(dice)
    if len(shared) < CHARACTERS_MIN:
        raise StateDirError(
            f"found {len(shared)} characters in {PLANE_TOKEN_VARIABLE}, expected at least {CHARACTERS_MIN}: a guessable token is none"
        )
    return shared
