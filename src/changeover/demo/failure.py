"""Why did the story end early? One family of errors, so that one place can say it and choose the exit code."""


class StoppedShortError(Exception):
    """The story cannot go on as expected; the message carries the numbers or the last words."""


class UndecidedError(StoppedShortError):
    """No verdict within the declared number of requests, or a pause: honest, and not the expected end."""
