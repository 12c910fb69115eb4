"""How does the trial of a candidate read afterwards? Pure."""

from changeover.rollout.preflight import Preflight


def preflight_lines(preflight: Preflight | None) -> tuple[str, ...]:
    """Nothing where nobody could have tried it."""
    if preflight is None:
        return ()
    if preflight.skipped:
        return ("its candidate was not tried first, by order",)
    if not preflight.shapes:
        return ("its candidate answered a plain request; none of the task had been seen yet",)
    whole = preflight.shapes == preflight.known
    tried = f"{preflight.shapes}" if whole else f"{preflight.shapes} of {preflight.known}"
    taken = f"its candidate takes what the task is asked with (request shapes tried: {tried})"
    if preflight.not_tried:
        return (f"{taken}, but for parameters that could not be tried: {', '.join(preflight.not_tried)}",)
    return (taken,)
