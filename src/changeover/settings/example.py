"""What does a new file look like? The commented example that ``changeover init`` writes."""

from typing import Final

EXAMPLE: Final = """\
# changeover.yaml: which model versions serve which tasks, and how one follows another.
# `changeover check` names every fault at once. Keys are never written here, only where they are found.
version: 1

accounts:
  # azure-openai finds its key in AZURE_OPENAI_API_KEY, else asks Entra ID for tokens, unless auth says otherwise.
  my-resource:
    kind: azure-openai                # azure-openai | openai | openai-compatible | anthropic
    endpoint: https://my-resource.openai.azure.com
    # auth: {env: MY_KEY_VARIABLE}    # or {file: /run/secrets/azure-openai}, {entra: managed} (default | managed | workload | cli)

deployments:
  # An exact version each. The only account is the default. Every deployment is production unless it says
  # otherwise, with {environment: dev}.
  gpt4o-prod-v0513: {model: gpt-4o, version: "2024-05-13"}
  gpt4o-prod-v1120: {model: gpt-4o, version: "2024-11-20"}
  # A comparison says where two sides differ in what you add: {sku: Standard, region: swedencentral, content_filter: strict-v2}.
  # A successor that refuses a parameter gets its requests in the way it wants them.
  # gpt51-prod-v1113:
  #   model: gpt-5.1
  #   version: "2025-11-13"
  #   request: {rename: {max_tokens: max_completion_tokens}, drop: [temperature], set: {reasoning_effort: low}}

tasks:
  # Applications put the task's name into model=.
  email-summarisation:
    stable: gpt4o-prod-v0513
    # failover: [gpt4o-prod-v1120]    # who stands in when the stable does not answer
    # sticky_by: [header:x-conversation-id, safety_identifier, user]   # first present wins; else each request by itself
    # slice_by: [header:x-language, metadata:tenant]    # the worst slice is shown by `changeover compare`, and decides nothing
    # criteria: {preset: strict}      # strict | standard | cheaper-model, or none for exactly what is written here

# gateway: {unrouted: refuse}         # what no task claims is refused; or {account: my-resource}: passed on unchanged

# A margin is a decision to accept that loss. Without a source quality and accuracy are no gates. This is the standard
# preset in full (a source for quality comes from you); any field may be overridden, for all tasks here or for one above.
# criteria:
#   quality:  {source: scores/rating, scale: [1, 5], margin: 0.1, trip: margin}     # human/rating where people give them
#   accuracy: {source: none}          # judging against ground truth is not in this version
#   latency:  {quantiles: [p50, p95, p99], max_ratio: 1.10, trip: margin}     # guard_only: [p99] may roll back, is no gate
#   cost:     {max_ratio: 1.10, tokens: {input: 1.10, output: 1.25}, trip: margin}
#   safety:   {filter: {max_ratio: 1.5, margin_pp: 0.2}, harmful: {source: none}, trip: any}
#   errors:   {max_ratio: 1.5, margin_pp: 0.5, trip: any}
#   min_samples: 0                    # units on either side that every pass needs

# Scores are waited for by who gives them; n_star is where the cost tests are sharpest, in requests and in returning users.
# evidence: {block: 30m, min_blocks: 12, score_timeout: {client: 1m, judge: 10m, human: 7d}, n_star: 10000, n_star_users: 1000}

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

# Who hears of what happens; addresses and secrets by where they are found. Topics: started, step, paused, undecided, rolled_back,
# completed, drift, retirement, summary; without on all but step. Try it: changeover alerts test
# alerts:
#   - {webhook: {env: CHANGEOVER_WEBHOOK}, secret: {env: CHANGEOVER_WEBHOOK_SECRET}, on: [paused, rolled_back, drift, completed]}
#   - {apprise: {env: CHANGEOVER_CHAT}}

# With four_eyes whoever starts a rollout does not approve it. The week is summed up at this moment, in UTC.
# policy: {four_eyes: false, summary: {day: fri, at: "15:00"}}

# How grave a rule of `changeover check` is: off, warn or error, also {prod: error, dev: off}. A silence has a reason and a last day.
# check:
#   rules: {CO201: error}
#   silence: [{rule: CO302, at: tasks.email-summarisation.stable, reason: "its successor is on trial", until: 2026-12-08}]
"""


def example_text() -> str:
    """The smallest useful file, with the rest of what may be said in comments that hold once uncommented."""
    return EXAMPLE
