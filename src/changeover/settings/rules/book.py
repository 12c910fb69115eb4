"""Which rules are there? Their ids, which never change their meaning, and how grave each is unless the file says otherwise."""

from typing import Final

import msgspec

from changeover.settings.declared_check import Environment, Level


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """``name`` is for machines; ``title`` is what is wrong where it finds something, ``asks`` what is right, ``why`` the reason.
    ``is_fixed``: no file can change its level or silence it.
    """

    id: str
    name: str
    title: str
    asks: str
    why: str
    prod: Level
    dev: Level = "off"
    is_fixed: bool = False

    def level(self, environment: Environment) -> Level:
        """Unless the file says otherwise."""
        return self.prod if environment == "prod" else self.dev


FAULT: Final = "CO001"
SECRET: Final = "CO002"
REMARK: Final = "CO003"
NOT_PINNED: Final = "CO101"
PIN_UNREAD: Final = "CO102"
NAME_WITHOUT_VERSION: Final = "CO103"
NAME_AGAINST_VERSION: Final = "CO104"
NAME_OFF_POLICY: Final = "CO105"
TWIN: Final = "CO106"
NO_FAILOVER: Final = "CO201"
FAILOVER_IS_CANDIDATE: Final = "CO202"
NO_SOURCE: Final = "CO203"
CANDIDATE_OLDER: Final = "CO204"
OTHER_FILTER: Final = "CO205"
TOO_SMALL: Final = "CO206"
RETIRED: Final = "CO301"
RETIRING: Final = "CO302"
SPARE_RETIRED: Final = "CO303"
SILENCE_INCOMPLETE: Final = "CO901"
SILENCE_OVER: Final = "CO902"
SILENCE_IDLE: Final = "CO903"

RULES: Final = (
    Rule(
        id=FAULT,
        name="file-usable",
        title="the file cannot be used",
        asks="The file can be used.",
        why="Nothing is served from a file with a fault.",
        prod="error",
        dev="error",
        is_fixed=True,
    ),
    Rule(
        id=SECRET,
        name="no-secret",
        title="secret in the file",
        asks="No secret stands in the file.",
        why="Whoever can read the repository could call the provider, for as long as the key lives.",
        prod="error",
        dev="error",
        is_fixed=True,
    ),
    Rule(
        id=REMARK,
        name="no-remark",
        title="remark",
        asks="Reading the file gives no reason for a remark.",
        why="What is allowed may still spoil a comparison: sides in different regions, weights that prove nothing.",
        prod="warn",
        dev="warn",
    ),
    Rule(
        id=NOT_PINNED,
        name="pinned",
        title="not pinned",
        asks="The deployment's upgrade option is NoAutoUpgrade.",
        why="Any other option lets Azure change the version under a running application.",
        prod="error",
    ),
    Rule(
        id=PIN_UNREAD,
        name="pin-read-back",
        title="upgrade option missing or unread",
        asks="Azure itself says that the deployment is pinned.",
        why="A deployment that was made without the option is not pinned, whatever a file declares; unknown is unpinned.",
        prod="error",
    ),
    Rule(
        id=NAME_WITHOUT_VERSION,
        name="name-says-version",
        title="name without its version",
        asks="The deployment's name says its version.",
        why="A name without its version cannot stand beside its successor.",
        prod="warn",
    ),
    Rule(
        id=NAME_AGAINST_VERSION,
        name="name-says-no-other-version",
        title="name against its version",
        asks="The deployment's name says no other version than its own.",
        why="People believe names: in an incident the wrong version is looked at.",
        prod="error",
        dev="warn",
    ),
    Rule(
        id=NAME_OFF_POLICY,
        name="name-follows-policy",
        title="name off the policy",
        asks="The deployment's name is the one that the naming policy gives.",
        why="One pattern can be searched, sorted and made by machine.",
        prod="warn",
    ),
    Rule(
        id=TWIN,
        name="no-twin-outside-a-pool",
        title="two deployments of one version outside a pool",
        asks="Two deployments of one version share a pool, stand in for each other, or follow each other in a rollout.",
        why="Outside a pool they split a quota, and neither has the other's room.",
        prod="warn",
    ),
    Rule(
        id=NO_FAILOVER,
        name="has-failover",
        title="task without failover",
        asks="The task has a failover.",
        why="When its stable is retired, missing or down, nobody answers.",
        prod="warn",
    ),
    Rule(
        id=FAILOVER_IS_CANDIDATE,
        name="failover-is-not-on-trial",
        title="failover that is the candidate",
        asks="No failover of the task is the candidate of a rollout of it.",
        why="A candidate on trial never stands in, so the task would be without this failover during the rollout and after a rollback.",
        prod="error",
        dev="warn",
    ),
    Rule(
        id=NO_SOURCE,
        name="criterion-has-source",
        title="criterion without source",
        asks="Every criterion that is asked has a source.",
        why="A criterion without a source is no gate: nothing is proven of it.",
        prod="warn",
        dev="warn",
    ),
    Rule(
        id=CANDIDATE_OLDER,
        name="candidate-is-newer",
        title="candidate older than the stable",
        asks="The candidate is not older than the stable, nor retires before it.",
        why="The task would have to move again, sooner.",
        prod="warn",
        dev="warn",
    ),
    Rule(
        id=OTHER_FILTER,
        name="same-content-filter",
        title="content filter other than the stable's",
        asks="Candidate and failovers have the content-filter policy of the stable.",
        why="Another filter decides safety in the version's place, and a weaker one lets through what the stable would not.",
        prod="warn",
        dev="warn",
    ),
    Rule(
        id=TOO_SMALL,
        name="room-for-rollback",
        title="capacity below what a rollback needs",
        asks="The stable has capacity for the whole peak of its tasks.",
        why="A rollback sends all of it back at once.",
        prod="error",
    ),
    Rule(
        id=RETIRED,
        name="stable-serves",
        title="stable retired",
        asks="The stable is not retired, by what its region says.",
        why="Calls to a retired version fail.",
        prod="error",
        dev="error",
    ),
    Rule(
        id=RETIRING,
        name="stable-goes-on-serving",
        title="stable retiring",
        asks="The stable does not retire within the days of warning.",
        why="Testing and moving to a successor takes weeks.",
        prod="warn",
    ),
    Rule(
        id=SPARE_RETIRED,
        name="spare-serves",
        title="candidate or failover past its retirement",
        asks="No candidate and no failover is past its retirement.",
        why="It cannot answer when it is needed.",
        prod="warn",
        dev="warn",
    ),
    Rule(
        id=SILENCE_INCOMPLETE,
        name="silence-is-complete",
        title="silence without reason or date",
        asks="Every silence has a reason and a last day.",
        why="Without them nobody knows whether it still holds; it silences nothing.",
        prod="error",
        dev="error",
        is_fixed=True,
    ),
    Rule(
        id=SILENCE_OVER,
        name="silence-holds",
        title="silence past its date",
        asks="No silence is past its date.",
        why="What it put off has come due; it silences nothing any more.",
        prod="error",
        dev="error",
        is_fixed=True,
    ),
    Rule(
        id=SILENCE_IDLE,
        name="silence-has-a-finding",
        title="silence of nothing",
        asks="Every silence in force silences a finding.",
        why="One that silences nothing would hide the next finding of that place.",
        prod="warn",
        dev="warn",
        is_fixed=True,
    ),
)
BY_ID: Final = {rule.id: rule for rule in RULES}
SETTABLE: Final = tuple(rule.id for rule in RULES if not rule.is_fixed)
"""Those whose level a file may set, and whose findings it may silence."""
