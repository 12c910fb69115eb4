"""Settings files for tests."""

from changeover.settings.declared import Fault, SettingsError
from changeover.settings.file import parse

SMALLEST = """\
version: 1
accounts:
  aoai: {kind: azure-openai, endpoint: https://aoai.openai.azure.com}
deployments:
  old: {model: gpt-4o, version: "2024-05-13"}
  new: {model: gpt-4o, version: "2024-11-20"}
tasks:
  email: {stable: old}
"""


def faults_of(text: str) -> dict[str, Fault]:
    """Every fault by its path."""
    try:
        parse(text)
    except SettingsError as error:
        return {fault.path: fault for fault in error.faults}
    return {}


def with_section(section: str) -> str:
    return SMALLEST + section


def with_account(account: str) -> str:
    return SMALLEST.replace("{kind: azure-openai, endpoint: https://aoai.openai.azure.com}", account)


def with_task(task: str) -> str:
    return SMALLEST.replace("{stable: old}", task)


def with_steps(steps: str) -> str:
    return with_section(f"rollouts:\n  up:\n    task: email\n    candidate: new\n    steps: {steps}\n")
