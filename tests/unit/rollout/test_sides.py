"""In what two sides differ besides the version."""

import msgspec

from changeover.rollout.sides import confounders, differences, members
from changeover.versions import Deployment, ModelVersion, RequestSettings

OLD = Deployment(
    name="old", account="a", model=ModelVersion(name="gpt-4o", version="1"), sku="Standard", region="swedencentral", content_filter="strict"
)
NEW = msgspec.structs.replace(OLD, name="new", model=ModelVersion(name="gpt-4o", version="2"))


def test_another_version_in_the_same_place_differs_in_nothing() -> None:
    assert differences([OLD], [NEW]) == []


def test_each_difference_says_what_it_may_decide_in_the_versions_place() -> None:
    moved = msgspec.structs.replace(NEW, account="b", environment="dev", sku="GlobalStandard", region="eastus2", content_filter="lax")
    assert [str(each) for each in confounders([OLD], [moved])] == [
        "the sides differ in account: stable a, candidate b: it may decide latency and errors in the version's place",
        "the sides differ in environment: stable prod, candidate dev: it may decide latency and errors in the version's place",
        "the sides differ in region: stable swedencentral, candidate eastus2: it may decide latency and errors in the version's place",
        "the sides differ in SKU: stable Standard, candidate GlobalStandard: it may decide latency, errors and cost in the version's place",
        "the sides differ in content-filter policy: stable strict, candidate lax: it may decide safety in the version's place",
    ]


def test_what_is_part_of_the_candidate_is_told_and_spoils_nothing() -> None:
    other = msgspec.structs.replace(
        NEW, model=ModelVersion(name="gpt-4o-mini", version="2"), request=RequestSettings(drop=("temperature",))
    )
    assert confounders([OLD], [other]) == []
    assert [each.what for each in differences([OLD], [other])] == ["model", "request settings"]


def test_what_one_side_alone_says_is_a_difference_and_what_neither_says_is_none() -> None:
    silent = msgspec.structs.replace(NEW, region=None, content_filter=None)
    assert [(each.what, each.candidate) for each in confounders([OLD], [silent])] == [
        ("region", "unknown"),
        ("content-filter policy", "unknown"),
    ]
    assert confounders([silent], [msgspec.structs.replace(silent, name="third")]) == []


def test_pools_are_compared_by_all_their_members() -> None:
    abroad = msgspec.structs.replace(OLD, name="old-fr", region="francecentral")
    deployments = {each.name: each for each in (OLD, abroad, NEW)}
    stable = members(deployments, "old", ("old", "old-fr", "gone"))
    assert [each.name for each in stable] == ["old", "old-fr"]
    (found,) = confounders(stable, members(deployments, "new", ()))
    assert (found.what, found.stable, found.candidate) == ("region", "francecentral, swedencentral", "swedencentral")
