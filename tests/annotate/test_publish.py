"""What goes where: the dataset, the card, and what is told when one of them may not be written."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd

from diffing.annotate.annotator import publish
from diffing.annotate.app import Webhook
from diffing.annotate.compared_models import ComparedModels
from diffing.annotate.revision_queue import RevisionQueue
from diffing.annotate.settings import AnnotatorSettings
from diffing.annotate.webhook_payload import ModelPush
from diffing.annotate.worker import FinishedJob
from diffing.errors import HubError
from diffing.hub import BoundedApi, Patience, hub_api
from diffing.types import ModelInfo, Report
from tests.annotate.service import SECRET, payload
from tests.hub import LocalHub
from tests.outputs.samples import medium_report
from tests.waiting import DEADLINE

CARD = b"---\nlicense: mit\n---\n# Tuned\n"
OPTED_OUT = b"# Tuned\n\n<!-- model-diff: off -->\n"
DATASET = "bot/bob__tuned-diff"
QUICK = Patience(timeout=DEADLINE, attempts=2, first_wait=0.01)


@cache
def report(comparison: ComparedModels) -> Report:
    some = medium_report(train=40, heldout=60)
    return replace(
        some, model_a=ModelInfo(comparison.model_a, "model_a"), model_b=ModelInfo(comparison.model_b, "model_b")
    )


class World:
    """Bob's model and its base on a Hub, and the bot, who has no rights on them."""

    def __init__(self, hub: LocalHub, card: bytes = CARD) -> None:
        self.hub = hub
        self.bob: BoundedApi = hub_api(hub.add_user("bob"), hub.endpoint)
        self.bot: BoundedApi = hub_api(hub.add_user("bot"), hub.endpoint, patience=QUICK)
        for name, readme in (("bob/base", b"# Base\n"), ("bob/tuned", card)):
            self.bob.create_repo(name)
            self.bob.create_commit(name, [CommitOperationAdd("README.md", readme)], commit_message="a card")
        base, tuned = (f"{name}@{hub.repo(name).commits()[0].sha}" for name in ("bob/base", "bob/tuned"))
        self.comparison = ComparedModels(base, tuned)

    def publish(self, who: BoundedApi | None = None, **settings: str) -> tuple[FinishedJob, str | None]:
        return publish(
            who or self.bot, AnnotatorSettings(**settings), "bob/tuned", self.comparison, report(self.comparison)
        )

    @property
    def readme(self) -> bytes:
        return self.hub.repo("bob/tuned").files()["README.md"]


def test_a_dataset_and_one_pull_request(hub: LocalHub) -> None:
    world = World(hub)
    done, own = world.publish()
    again, _ = world.publish()
    assert own is None
    assert done.dataset == f"{hub.endpoint}/datasets/{DATASET}"
    assert done.card == again.card == f"{hub.endpoint}/bob/tuned/discussions/1"
    assert "opened" in done.remark
    assert len(hub.repo("bob/tuned").pulls) == 1
    assert not hub.repo(DATASET, "dataset").private
    assert world.readme == CARD


def test_a_commit_of_our_own_is_known_when_its_webhook_comes(hub: LocalHub, tmp_path: Path) -> None:
    world = World(hub)
    done, own = world.publish(world.bob, card="commit", namespace="bob")
    assert own == hub.repo("bob/tuned").commits()[0].sha
    assert done.card.endswith(f"/commit/{own}")
    queue = RevisionQueue(tmp_path / "queue.sqlite")
    queue.remember_own("bob/tuned", own)
    webhook = Webhook(AnnotatorSettings(allow=("bob",)), SECRET, queue)
    assert webhook.take(json.dumps(payload("bob/tuned", own)).encode()) == (
        200,
        {"status": "ignored", "reason": "a commit of this service"},
    )
    assert webhook.rejected_deliveries() == {"a commit of this service": 1}
    assert queue.add(ModelPush("bob/tuned", "a" * 40, own))


def test_without_a_card_there_is_only_the_dataset(hub: LocalHub) -> None:
    world = World(hub)
    assert world.publish(card="off") == (FinishedJob(dataset=f"{hub.endpoint}/datasets/{DATASET}"), None)
    assert hub.repo("bob/tuned").pulls == []


def test_an_owner_who_does_not_want_it_is_left_alone(hub: LocalHub) -> None:
    done, _ = World(hub, OPTED_OUT).publish()
    assert "opts out of this section" in done.remark
    assert (done.card, hub.repo("bob/tuned").pulls) == ("", [])


@pytest.mark.parametrize("why", ["discussions are off", "no write access"])
def test_a_card_that_may_not_be_edited_is_told_on_the_page_alone(hub: LocalHub, why: str) -> None:
    world = World(hub)
    if why == "discussions are off":
        hub.disable_discussions("bob/tuned")
    done, own = world.publish(card="pr" if why == "discussions are off" else "commit")
    assert "403" in done.remark
    assert (done.card, own, hub.repo("bob/tuned").pulls, world.readme) == ("", None, [], CARD)
    assert done.dataset


def test_what_a_private_model_says_stays_private(hub: LocalHub) -> None:
    """The bot may read the base as bob; the public card of the tuned model must not tell of it."""
    world = World(hub)
    hub.make_private("bob/base")
    done, _ = world.publish(world.bob, namespace="bob")
    assert hub.repo("bob/bob__tuned-diff", "dataset").private
    assert "the public card was not changed" in done.remark
    assert hub.repo("bob/tuned").pulls == []
    assert world.readme == CARD
    hub.make_private("bob/tuned")
    done, _ = world.publish(world.bob, namespace="bob")
    assert len(hub.repo("bob/tuned").pulls) == 1


def test_a_hub_that_fails_is_an_error_to_be_tried_again(hub: LocalHub) -> None:
    world = World(hub)
    hub.faults.add(method="POST", path=r"/api/models/bob/tuned/commit/.*", status=503, times=9)
    with pytest.raises(HubError, match="503"):
        world.publish()
    hub.faults.clear()
    done, _ = world.publish()
    assert len(hub.repo("bob/tuned").pulls) == 1
    assert len(hub.repo(DATASET, "dataset").commits()) == 2, "the Hub's first one and ours: not pushed twice"
    assert done.card
