"""What does a new file look like? The commented example that ``changeover init`` writes."""

from typing import Final

EXAMPLE: Final = """\
# changeover.yaml: which model versions serve which tasks, and how one follows another.
# `changeover check` names every fault at once. Keys are never written here, only where they are found.
version: 1

accounts:
  # azure-openai finds its key in AZURE_OPENAI_API_KEY unless auth says otherwise.
  my-resource:
    kind: azure-openai                # azure-openai | openai | openai-compatible
    endpoint: https://my-resource.openai.azure.com
    # auth: {env: MY_KEY_VARIABLE}    # or {file: /run/secrets/azure-openai}

deployments:
  # An exact version each. The only account is the default. Every deployment is production unless it says
  # otherwise, with {environment: dev}.
  gpt4o-prod-v0513: {model: gpt-4o, version: "2024-05-13"}
  gpt4o-prod-v1120: {model: gpt-4o, version: "2024-11-20"}

tasks:
  # Applications put the task's name into model=.
  email-summarisation:
    stable: gpt4o-prod-v0513
    # sticky_by: [header:x-conversation-id, safety_identifier, user]   # first present wins; else each request by itself
    # criteria: {preset: strict}      # strict | standard | cheaper-model; any field may be overridden here

# gateway: {unrouted: refuse}         # what no task claims is refused

# A margin is a decision to accept that loss. Without a source quality is no gate.
# criteria:
#   quality: {source: scores/rating, scale: [1, 5], margin: 0.1, trip: margin}
#   errors: {max_ratio: 1.5, margin_pp: 0.5, trip: any}

# evidence: {block: 30m, min_blocks: 12, score_timeout: {client: 1m}}

# Without an entry here `changeover rollout start TASK --to DEPLOYMENT` takes these steps with no durations.
# rollouts:
#   email-on-v1120:
#     task: email-summarisation
#     candidate: gpt4o-prod-v1120
#     strategy: canary
#     steps:
#       - weight: 10
#       - analysis: {require: no_harm, min_duration: 24h}
#       - weight: 50
#       - analysis: {require: pass, min_duration: 24h, max_duration: 7d, on_undecided: pause}
#       - weight: 100
#     bake: {duration: 0s, holdback: 0}
"""


def example_text() -> str:
    """The smallest useful file, with the rest of what may be said in comments that hold once uncommented."""
    return EXAMPLE
