"""Every fault of a file at once, each with its path, what was found and what was expected."""

import pytest

from tests.unit.settings.files import SMALLEST, faults_of, with_account, with_section, with_steps, with_task

HEX_KEY = "0123456789abcdef0123456789abcdef"
LONG_KEY = "4x" * 42

MANY = """\
version: 1
acounts: {}
accounts:
  a: {kind: azure-openai, endpoint: "https://a.openai.azure.com/", sku: 3}
  b: {kind: bedrock}
deployments:
  d1: {account: aa, model: gpt-4o, version: 2024-11-20, capacity: 0}
  d2: {account: a, model: gpt-4o, version: 2024-13-20}
  d2: {account: a, model: gpt-4o, version: "1"}
  d3: {model: [x], version: true}
tasks:
  t: {stable: d9, failover: [d1], criteria: {preset: stricd, accuracy: {source: eval/gold}}}
  u: {stable: [d1], sticky_by: [header:X-A, usr]}
rollouts:
  r:
    task: t
    candidate: d2
    strategy: blue-green
    steps: [{weight: 10}, {weight: 5.25}, {verify: {}}, {analysis: {require: pas, min_duration: 30}}, {}]
    bake: {duration: 7d, holdback: 60}
evidence: {block: 30, min_blocks: 0, score_timeout: {robot: 1m}}
"""


def test_every_fault_is_named_at_once_in_the_order_of_the_file() -> None:
    assert list(faults_of(MANY)) == [
        "acounts",
        "accounts.a.endpoint",
        "accounts.a.sku",
        "accounts.b.kind",
        "deployments.d1.account",
        "deployments.d1.capacity",
        "deployments.d2",
        "deployments.d2.version",
        "deployments.d3.account",
        "deployments.d3.model",
        "deployments.d3.version",
        "tasks.t.criteria.accuracy.source",
        "tasks.t.criteria.preset",
        "tasks.t.stable",
        "tasks.u.sticky_by[1]",
        "rollouts.r.strategy",
        "rollouts.r.steps[1].weight",
        "rollouts.r.steps[2].verify",
        "rollouts.r.steps[3].analysis.min_duration",
        "rollouts.r.steps[3].analysis.require",
        "rollouts.r.steps[4]",
        "rollouts.r.bake.holdback",
        "evidence.block",
        "evidence.min_blocks",
        "evidence.score_timeout.robot",
    ]


def test_every_fault_says_what_was_found_and_what_was_expected() -> None:
    assert all(fault.found and fault.expected for fault in faults_of(MANY).values())
    assert str(faults_of(MANY)["rollouts.r.steps[3].analysis.min_duration"]) == (
        "rollouts.r.steps[3].analysis.min_duration: found 30; expected a duration with its unit, such as 500ms, 2s, 30m, 24h or 7d"
    )


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("", "an empty file", "changeover init"),
        ("# nothing\n", "an empty file", "changeover init"),
        ("- 1\n", "no mapping at the top", "accounts:"),
        ("a: [\n", "text that is not YAML in line 2, column 1", "one YAML document"),
        ("a: b: c\n", "text that is not YAML in line 1, column 5 (mapping values are not allowed here)", "correct that line"),
        ("a: 1\n---\nb: 2\n", "text that is not YAML in line 2", "one YAML document"),
        ("a: \x00\n", "a sign that YAML does not allow, at position 3", "printable text"),
        ("[" * 1500, "text that YAML cannot read", "a flat settings file"),
        ("a: &x [*x]\n", "more than 50000 values or 30 levels", "fewer"),
        ("a: " + "x" * 1_000_001, "1000004 characters", "at most 1000000"),
    ],
)
def test_what_is_no_settings_file_at_all_says_so(text: str, found: str, expected: str) -> None:
    fault = faults_of(text)["(file)"]
    assert fault.found.startswith(found)
    assert expected in fault.expected


def test_text_that_grows_by_aliases_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "more than 50000 values" in faults_of("\n".join(lines))["(file)"].found


def test_missing_sections_are_named() -> None:
    assert list(faults_of("gateway: {}\n")) == ["accounts", "deployments", "tasks", "version"]
    assert faults_of(SMALLEST.replace("  email: {stable: old}\n", "").replace("tasks:", "tasks: {}"))["tasks"].found == "nothing in it"


@pytest.mark.parametrize("version", ["2", "true", '"1"', "1.5", "1.0"])
def test_another_version_of_the_format_is_refused(version: str) -> None:
    assert faults_of(SMALLEST.replace("version: 1\n", f"version: {version}\n"))["version"].expected == "1, the version of this format"


@pytest.mark.parametrize(
    ("line", "path", "found"),
    [
        ("tasks: {}\n", "tasks", "the key a second time, in line 9"),
        ("rollouts: {a: {}, a: {}}\n", "rollouts.a", "the key a second time, in line 9"),
        ("gateway: {<<: {}}\n", "gateway", "a merge key or a key that is not text in line 9"),
        ("gateway: {[1]: {}}\n", "gateway", "a merge key or a key that is not text in line 9"),
        ("gateway: {unrouted: }\n", "gateway.unrouted", "an empty value"),
        ("gateway: !odd {}\n", "gateway", "the tag !odd"),
        ("evidence: {min_blocks: !!int x}\n", "evidence.min_blocks", "something that is no int"),
        ("evidence: {min_blocks: .nan}\n", "evidence.min_blocks", "nan"),
        ("evidence: {min_blocks: 2.5}\n", "evidence.min_blocks", "2.5"),
        ("evidence: 7\n", "evidence", "7"),
        ("evidence: {block: 0s}\n", "evidence.block", '"0s"'),
        ("evidence: {block: 99ms}\n", "evidence.block", '"99ms"'),
        ('"a.b": 7\n', '"a.b"', "an unknown key"),
    ],
)
def test_slips_of_writing_are_named(line: str, path: str, found: str) -> None:
    assert faults_of(with_section(line))[path].found == found


def test_an_unknown_key_comes_with_a_guess() -> None:
    fault = faults_of(with_task("{stabel: old}"))
    assert fault["tasks.email.stabel"].expected == "one of criteria, failover, slice_by, stable, sticky_by (did you mean stable?)"
    assert fault["tasks.email.stable"].found == "nothing"


@pytest.mark.parametrize("word", ["none", "false"])
def test_a_criterion_that_is_written_as_off_says_how_it_is_left_out(word: str) -> None:
    fault = faults_of(with_section(f"criteria: {{cost: {word}}}\n"))["criteria.cost"]
    assert fault.expected.endswith("to ask for no cost: preset: none, and only the criteria that are wanted")


def test_an_unknown_name_comes_with_a_guess() -> None:
    assert (
        faults_of(with_task("{stable: odl}"))["tasks.email.stable"].expected == "a declared deployment: one of new, old (did you mean old?)"
    )


@pytest.mark.parametrize(
    ("section", "path"),
    [
        ("policy: {on_retirement: failover}\n", "policy.on_retirement"),
        ("datasets: {}\n", "datasets"),
        ("judges: {}\n", "judges"),
        ("criteria: {accuracy: {source: eval/gold}}\n", "criteria.accuracy.source"),
        ("criteria: {quality: {source: judge/house}}\n", "criteria.quality.source"),
        ("criteria: {quality: {source: eval/gold}}\n", "criteria.quality.source"),
        ("rollouts: {up: {task: email, candidate: new, schedule: {}}}\n", "rollouts.up.schedule"),
        ("rollouts: {up: {task: email, candidate: new, strategy: paired}}\n", "rollouts.up.strategy"),
        ("rollouts: {up: {task: email, candidate: new, strategy: blue-green}}\n", "rollouts.up.strategy"),
        ("rollouts: {up: {task: email, candidate: new, steps: [{verify: {gates: [accuracy]}}]}}\n", "rollouts.up.steps[0].verify"),
        ("rollouts: {up: {task: email, candidate: new, steps: [{shadow: {percent: 5}}]}}\n", "rollouts.up.steps[0].shadow"),
        ("rollouts: {up: {task: email, candidate: new, steps: [{prepare: {}}]}}\n", "rollouts.up.steps[0].prepare"),
    ],
)
def test_what_a_later_version_knows_is_refused_by_that_name(section: str, path: str) -> None:
    assert "not in this version" in faults_of(with_section(section))[path].expected


@pytest.mark.parametrize("key", ["pool: x"])
def test_a_deployments_later_keys_are_refused_by_that_name(key: str) -> None:
    text = SMALLEST.replace('{model: gpt-4o, version: "2024-11-20"}', f'{{model: gpt-4o, version: "2024-11-20", {key}}}')
    assert "not in this version" in faults_of(text)[f"deployments.new.{key.partition(':')[0]}"].expected


@pytest.mark.parametrize("version", ["latest", "Default", "2024-02-30", "2024-11-20 10:00:00", "''", "a b"])
def test_a_version_that_pins_nothing_is_refused(version: str) -> None:
    assert "deployments.new.version" in faults_of(SMALLEST.replace('"2024-11-20"', version))


@pytest.mark.parametrize(
    ("endpoint", "found"),
    [
        ("https://a.openai.azure.com/", "an address with a slash at the end"),
        ("http://a.openai.azure.com", "http to a.openai.azure.com, which would send the key in clear (http is for this machine only)"),
        ("https://me:hunter2@a.openai.azure.com", "an address with credentials in it (not shown)"),
        ("https://a.openai.azure.com?code=hunter2", "an address with a query or fragment (not shown)"),
        ("https://a.openai.azure.com#hunter2", "an address with a query or fragment (not shown)"),
        ("a.openai.azure.com", "an address without https://"),
        ("ftp://a.b", "an address that begins with ftp:"),
        ("https://", "an address without a proper host"),
        ("https://a b", "an address with signs that an address cannot have"),
        ("https://a:99999", "an address that cannot be read"),
        ("https://a:0", "port 0"),
        ("https://[", "an address that cannot be read"),
        ("https://a//b", "an address with an odd path"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused_without_showing_credentials(endpoint: str, found: str) -> None:
    fault = faults_of(with_account(f'{{kind: azure-openai, endpoint: "{endpoint}"}}'))["accounts.aoai.endpoint"]
    assert fault.found == found
    assert "hunter2" not in str(fault)


def test_an_azure_account_needs_its_endpoint() -> None:
    assert faults_of(with_account("{kind: azure-openai}"))["accounts.aoai.endpoint"].found == "nothing"


@pytest.mark.parametrize(
    "auth",
    [
        f"auth: {HEX_KEY}",
        f"auth: {{env: {HEX_KEY}}}",
        f"auth: {{env: {LONG_KEY}}}",
        f"auth: {{key: {HEX_KEY}}}",
        f"api_key: {HEX_KEY}",
        f"auth: {{file: sk-{HEX_KEY}}}",
        f"{HEX_KEY}: 1",
        f"auth: {{? [{HEX_KEY}] : 1}}",
        f'auth: "{HEX_KEY}',
    ],
)
def test_a_key_in_the_file_is_a_fault_that_never_prints_it(auth: str) -> None:
    faults = faults_of(with_account(f"{{kind: azure-openai, endpoint: https://a.b, {auth}}}"))
    assert faults
    assert not [fault for fault in faults.values() if HEX_KEY in str(fault) or LONG_KEY in str(fault)]


def test_a_short_password_in_place_of_a_reference_is_not_printed_either() -> None:
    for auth in ("auth: hunter-2!", "auth: {env: hunter-2!}", "auth: {password: hunter-2!}", "password: hunter-2!", "auth: [hunter-2!]"):
        faults = faults_of(with_account(f"{{kind: azure-openai, endpoint: https://a.b, {auth}}}"))
        assert faults
        assert "hunter-2!" not in " ".join(str(fault) for fault in faults.values())


@pytest.mark.parametrize(("auth", "found"), [("{}", "neither"), ("{env: A, file: b}", "both")])
def test_a_key_has_one_place(auth: str, found: str) -> None:
    assert faults_of(with_account(f"{{kind: azure-openai, endpoint: https://a.b, auth: {auth}}}"))["accounts.aoai.auth"].found == found


def test_with_two_accounts_a_deployment_names_its_own() -> None:
    text = SMALLEST.replace("deployments:", "  second: {kind: openai}\ndeployments:")
    assert faults_of(text)["deployments.new.account"].found == "nothing, with 2 accounts"


def test_quality_written_without_a_source_is_refused_where_it_is_written() -> None:
    assert faults_of(with_task("{stable: old, criteria: {quality: {margin: 0.2}}}"))["tasks.email.criteria.quality"].found == "no source"
    assert faults_of(with_section("criteria: {quality: {margin: 0.2}}\n"))["criteria.quality"].found == "no source"
    sourced = with_task("{stable: old, criteria: {quality: {source: scores/a}}}") + "criteria: {quality: {margin: 0.2}}\n"
    assert faults_of(sourced) == {}


@pytest.mark.parametrize(
    ("quality", "path"),
    [
        ("scale: [5, 1]", "criteria.quality"),
        ("scale: [1]", "criteria.quality"),
        ("scale: [1, 2, 3]", "criteria.quality"),
        ("scale: [a, b]", "criteria.quality.scale[0]"),
        ("margin: 0", "criteria.quality.margin"),
        ("margin: 4", "criteria.quality.margin"),
        ("scale: [0, 1], margin: 1", "criteria.quality.margin"),
        ("trip: never", "criteria.quality.trip"),
    ],
)
def test_a_quality_criterion_that_cannot_be_is_refused(quality: str, path: str) -> None:
    assert path in faults_of(with_section(f"criteria: {{quality: {{source: scores/a, {quality}}}}}\n"))


@pytest.mark.parametrize("errors", ["max_ratio: 1", "max_ratio: true", "margin_pp: 0", "margin_pp: 101", "trip: never"])
def test_an_errors_criterion_that_cannot_be_is_refused(errors: str) -> None:
    assert f"criteria.errors.{errors.partition(':')[0]}" in faults_of(with_section(f"criteria: {{errors: {{{errors}}}}}\n"))


@pytest.mark.parametrize(
    ("steps", "path"),
    [
        ("[]", "rollouts.up.steps"),
        ("[{weight: 100}]", "rollouts.up.steps[0]"),
        ("[{weight: 10}, {weight: 20}, {analysis: {require: pass}}, {weight: 100}]", "rollouts.up.steps[1]"),
        ("[{analysis: {require: pass}}, {weight: 100}]", "rollouts.up.steps[0]"),
        ("[{weight: 10}, {analysis: {require: no_harm}}, {weight: 100}]", "rollouts.up.steps[1]"),
        ("[{weight: 0}, {analysis: {require: pass}}, {weight: 100}]", "rollouts.up.steps[0].weight"),
        ("[{weight: 100.1}, {analysis: {require: pass}}, {weight: 100}]", "rollouts.up.steps[0].weight"),
        ("[{weight: 10, analysis: {require: pass}}]", "rollouts.up.steps[0]"),
        ("[{weight: 10}, {analysis: {require: pass, max_duration: 6h}}, {weight: 100}]", "rollouts.up.steps[1].analysis.max_duration"),
        (
            "[{weight: 10}, {analysis: {require: pass, min_duration: 2d, max_duration: 1d}}, {weight: 100}]",
            "rollouts.up.steps[1].analysis.max_duration",
        ),
        ("[{weight: 10}, {analysis: {require: pass, on_undecided: promote}}, {weight: 100}]", "rollouts.up.steps[1].analysis.on_undecided"),
        ("[{weight: 10}, {analysis: {require: pass, on_undecided: rollback}}, {weight: 100}]", "rollouts.up.steps[1].analysis"),
        ("[{weight: 10}, {approve: {roles: []}}, {analysis: {require: pass}}, {weight: 100}]", "rollouts.up.steps[1].approve.roles"),
        ("[{weight: 10}, {approve: {roles: [boss]}}, {analysis: {require: pass}}, {weight: 100}]", "rollouts.up.steps[1].approve.roles[0]"),
        ("[{weight: 10}, {pause: {duration: 5}}, {analysis: {require: pass}}, {weight: 100}]", "rollouts.up.steps[1].pause.duration"),
        ("[{weight: 10}, {pause: {duration: 5m}}, {weight: 100}]", "rollouts.up.steps[2]"),
        ("[{weight: 10}, {approve: {roles: [owner]}}, {weight: 100}]", "rollouts.up.steps[1]"),
    ],
)
def test_steps_that_lead_nowhere_are_refused_where_they_stand(steps: str, path: str) -> None:
    assert path in faults_of(with_steps(steps))


def test_rollouts_name_a_task_a_candidate_and_a_pair_once() -> None:
    entry = "{task: email, candidate: new}"
    faults = faults_of(
        with_section(f"rollouts: {{a: {entry}, b: {entry}, c: {{task: mail, candidate: nwe}}, d: {{task: email, candidate: old}}}}\n")
    )
    assert {path: fault.found for path, fault in faults.items()} == {
        "rollouts.b": "a second rollout for the pair of a",
        "rollouts.c.task": '"mail"',
        "rollouts.c.candidate": '"nwe"',
        "rollouts.d.candidate": '"old", which is the task\'s stable',
    }


def test_signs_that_steer_a_terminal_are_shown_as_code() -> None:
    assert faults_of(with_task('{stable: "\\e[31mold"}'))["tasks.email.stable"].found == '"\\u001b[31mold"'


@pytest.mark.parametrize("name", ["'a b'", "a/b", "'-a'", "é", "''"])
def test_a_task_name_that_cannot_travel_in_a_path_is_refused(name: str) -> None:
    assert any(path.startswith("tasks") for path in faults_of(SMALLEST.replace("email:", f"{name}:")))
