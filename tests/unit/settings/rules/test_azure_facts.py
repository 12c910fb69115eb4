"""What Azure said, by the names of the file."""

from changeover.provision.actual import ActualAccount, ActualDeployment
from changeover.provision.known import Known, Region
from changeover.provision.offers import Offer
from changeover.settings.file import parse
from changeover.settings.rules.azure_facts import read_backs
from changeover.settings.rules.facts import ReadBack
from changeover.versions import ModelVersion
from tests.unit.settings.rules.checked import SOUND, TODAY, with_deployment

ACCOUNT = ActualAccount(name="aoai", subscription="s", resource_group="g", region="swedencentral", kind="OpenAI", endpoint="https://a")
MODEL = ModelVersion(name="gpt-4o", version="2024-05-13")


def test_deployments_are_known_again_by_their_name_in_azure_and_judged_by_their_region() -> None:
    declared = parse(with_deployment('email-old: {model: gpt-4o, version: "2024-05-13", called: Chat}'))
    chat = ActualDeployment(name="chat", model=MODEL, sku="Standard", capacity=7, upgrade=None, content_filter="strict")
    offer = Offer(model=MODEL, retires_at=TODAY - 1)
    known = Known(accounts={"aoai": ACCOUNT}, deployments={"aoai": (chat,)}, regions={("s", "swedencentral"): Region(offers=(offer,))})
    assert read_backs(declared, known, now=TODAY) == {
        "email-old": ReadBack(content_filter="strict", capacity=7, sku="Standard", retires_at=TODAY - 1, is_retired=True)
    }


def test_a_region_that_tells_nothing_of_a_version_leaves_its_end_open() -> None:
    stable = ActualDeployment(name="gpt51-prod-v1113", model=MODEL, sku="Standard", upgrade="NoAutoUpgrade")
    known = Known(accounts={"aoai": ACCOUNT}, deployments={"aoai": (stable,)})
    assert read_backs(parse(SOUND), known, now=TODAY) == {"gpt51-prod-v1113": ReadBack(upgrade="NoAutoUpgrade", sku="Standard")}
