"""What a revision is compared with, as the Hub on loopback tells it."""

import time
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from diffing.annotate.annotator import Annotator, name_of
from diffing.annotate.compared_models import (
    ComparedModels,
    base_of,
    changed_files,
    choose_comparison,
    is_outdated,
    last_of_substance,
    private_of,
)
from diffing.annotate.revision_queue import RevisionQueue
from diffing.annotate.settings import AnnotatorSettings
from diffing.annotate.webhook_payload import IgnoredPush, ModelPush
from diffing.annotate.worker import PostponedJob
from diffing.errors import HubError
from diffing.hub import hub_api
from diffing.types import ignore_progress
from tests.hub import LocalHub

WEIGHTS = "model.safetensors"


@pytest.fixture
def api(hub: LocalHub) -> HfApi:
    return hub_api(hub.add_user("alice"), hub.endpoint)


def push(api: HfApi, repository: str, **files: str) -> ModelPush:
    """One commit; `__` in a name is a dot."""
    api.create_repo(repository, exist_ok=True)
    parent = api.model_info(repository).sha
    operations = [
        CommitOperationAdd(path_in_repo=name.replace("__", "."), path_or_fileobj=text.encode())
        for name, text in files.items()
    ]
    made = api.create_commit(repository, operations, commit_message="more")
    return ModelPush(repository, made.oid, parent)


def card(**metadata: Any) -> str:
    lines = "\n".join(f"{key}: {value}" for key, value in metadata.items())
    return f"---\n{lines}\n---\n# A model\n"


@pytest.fixture
def base(api: HfApi) -> str:
    made = push(api, "alice/base", model__safetensors="base weights")
    return f"alice/base@{made.commit}"


def test_against_the_base_model_of_the_card(api: HfApi, base: str) -> None:
    made = push(api, "alice/tuned", README__md=card(base_model="alice/base"), model__safetensors="tuned")
    assert choose_comparison(api, made, "base") == ComparedModels(base, f"alice/tuned@{made.commit}")
    assert choose_comparison(api, made, "base-or-previous") == ComparedModels(base, f"alice/tuned@{made.commit}")


def test_against_the_revision_before(api: HfApi, base: str) -> None:
    first = push(api, "alice/tuned", README__md=card(base_model="alice/base"), model__safetensors="one")
    second = push(api, "alice/tuned", model__safetensors="two")
    expected = ComparedModels(f"alice/tuned@{first.commit}", f"alice/tuned@{second.commit}")
    assert choose_comparison(api, first, "previous") == IgnoredPush("the previous revision had no weights")
    assert choose_comparison(api, second, "previous") == expected
    assert choose_comparison(api, ModelPush("alice/tuned", second.commit, None), "previous") == expected


def test_base_or_previous_where_the_card_names_none(api: HfApi) -> None:
    first = push(api, "alice/tuned", model__safetensors="one")
    second = push(api, "alice/tuned", model__safetensors="two")
    assert choose_comparison(api, second, "base") == IgnoredPush("the card names no base_model")
    assert choose_comparison(api, second, "base-or-previous") == ComparedModels(
        f"alice/tuned@{first.commit}", f"alice/tuned@{second.commit}"
    )


def test_an_adapter_goes_on_its_base(api: HfApi, base: str) -> None:
    files = {"adapter_config__json": "{}", "adapter_model__safetensors": "one"}
    first = push(api, "alice/lora", README__md=card(base_model="alice/base"), **files)
    second = push(api, "alice/lora", adapter_model__safetensors="two")
    assert choose_comparison(api, first, "base") == ComparedModels(base, f"{base}+alice/lora@{first.commit}")
    assert choose_comparison(api, second, "previous") == ComparedModels(
        f"{base}+alice/lora@{first.commit}", f"{base}+alice/lora@{second.commit}"
    )
    loose = push(api, "alice/loose", **files)
    assert choose_comparison(api, loose, "previous") == IgnoredPush("the card names no base_model")


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("[alice/base, alice/other]", "the card names several base models"),
        ("alice/tuned", "the card names the model itself as its base_model"),
        ("/etc", "the base_model in the card is not a model on the Hub"),
        ("~/model", "the base_model in the card is not a model on the Hub"),
        ("../model", "the base_model in the card is not a model on the Hub"),
        ("a/b/c", "the base_model in the card is not a model on the Hub"),
        ("openai:gpt", "the base_model in the card is not a model on the Hub"),
        ("[{a: b}]", "the base_model in the card is not a model on the Hub"),
        ("[7]", "the base_model in the card is not a model on the Hub"),
        ("{a: b}", "the base_model in the card is not a model on the Hub"),
        ("[]", "the card names no base_model"),
        ("null", "the card names no base_model"),
    ],
)
def test_base_models_that_cannot_be_used(api: HfApi, base: str, named: str, reason: str) -> None:
    push(api, "alice/tuned", README__md=card(base_model=named), model__safetensors="tuned")
    assert base_of(api, api.model_info("alice/tuned")) == IgnoredPush(reason)


def test_a_base_model_that_is_not_there_is_an_error_to_be_tried_again(api: HfApi) -> None:
    made = push(api, "alice/tuned", README__md=card(base_model="alice/gone"), model__safetensors="tuned")
    with pytest.raises(HubError, match="alice/gone does not exist"):
        choose_comparison(api, made, "base")


def test_what_is_no_new_model(api: HfApi, base: str) -> None:
    text = card(base_model="alice/base")
    bare = push(api, "alice/tuned", README__md=text)
    whole = push(api, "alice/tuned", model__safetensors="tuned")
    told = push(api, "alice/tuned", README__md=f"{text}more\n")
    both = ModelPush("alice/tuned", told.commit, bare.commit)
    assert choose_comparison(api, bare, "base") == IgnoredPush("no weights in this revision")
    assert isinstance(choose_comparison(api, whole, "base"), ComparedModels)
    assert choose_comparison(api, told, "base") == IgnoredPush("nothing but README.md changed")
    assert isinstance(choose_comparison(api, both, "base"), ComparedModels), "two commits pushed at once"
    assert changed_files(api, "alice/tuned", bare.commit, told.commit) == {WEIGHTS, "README.md"}
    rewritten = ModelPush("alice/tuned", told.commit, "9" * 40)
    assert isinstance(choose_comparison(api, rewritten, "base"), ComparedModels), "the head before is no more"


def test_a_base_that_is_named_after_the_weights_is_what_was_waited_for(api: HfApi, base: str, tmp_path: Any) -> None:
    weights = push(api, "alice/tuned", README__md=card(license="mit"), model__safetensors="tuned")
    named = push(api, "alice/tuned", README__md=card(license="mit", base_model="alice/base"))
    assert choose_comparison(api, named, "base") == ComparedModels(base, f"alice/tuned@{named.commit}")
    assert choose_comparison(api, named, "previous") == IgnoredPush("nothing but README.md changed")
    queue = RevisionQueue(tmp_path / "queue.sqlite")
    assert last_of_substance(api, queue, "alice/tuned", "base") == named
    assert last_of_substance(api, queue, "alice/tuned", "previous") == weights
    worded = push(api, "alice/tuned", README__md=card(license="apache-2.0", base_model="alice/base"))
    assert choose_comparison(api, worded, "base") == IgnoredPush("nothing but README.md changed")


def test_what_is_there_no_more_is_not_annotated(api: HfApi, tmp_path: Any) -> None:
    text = card(base_model="alice/base")
    push(api, "alice/base", model__safetensors="base")
    old = push(api, "alice/tuned", README__md=text, model__safetensors="one")
    new = push(api, "alice/tuned", model__safetensors="two")
    push(api, "alice/tuned", README__md=f"{text}more")
    assert is_outdated(api, old, "base")
    assert not is_outdated(api, new, "base"), "a card is no later model"
    assert is_outdated(api, ModelPush("alice/tuned", "9" * 40, None), "base"), "rewritten"
    queue = RevisionQueue(tmp_path / "queue.sqlite")
    queue.add(old)
    job = queue.claim()
    assert job is not None
    annotator = Annotator(AnnotatorSettings(folder=str(tmp_path)), queue, api)
    assert annotator(job, ignore_progress) == IgnoredPush("the model has a later revision already")


def test_no_more_diffs_are_begun_in_a_day_than_set(api: HfApi, base: str, tmp_path: Any) -> None:
    queue = RevisionQueue(tmp_path / "queue.sqlite")
    queue.add(ModelPush("alice/other", "9" * 40, None))
    queue.add(push(api, "alice/tuned", README__md=card(base_model="alice/base"), model__safetensors="one"))
    begun, job = queue.claim(), queue.claim()
    assert begun is not None and job is not None  # noqa: PT018
    queue.decide(begun, "org/a@1", "org/b@1")
    annotator = Annotator(AnnotatorSettings(folder=str(tmp_path), most_per_day=1), queue, api)
    outcome = annotator(job, ignore_progress)
    assert isinstance(outcome, PostponedJob)
    assert "1 diffs were begun within a day" in outcome.reason


def test_without_an_account_nothing_is_computed(hub: LocalHub, tmp_path: Any) -> None:
    queue = RevisionQueue(tmp_path / "queue.sqlite")
    queue.add(ModelPush("alice/tuned", "9" * 40, None))
    job = queue.claim()
    assert job is not None
    with pytest.raises(HubError, match="token"):
        Annotator(AnnotatorSettings(folder=str(tmp_path)), queue, hub_api("hf_wrong", hub.endpoint))(
            job, ignore_progress
        )
    assert [each.path for each in hub.requests] == ["/api/whoami-v2"]


def test_the_head_that_counts_is_the_last_one_that_changed_the_model(api: HfApi, tmp_path: Any) -> None:
    queue = RevisionQueue(tmp_path / "queue.sqlite")
    push(api, "alice/tuned", README__md=card(), model__safetensors="one")
    model = push(api, "alice/tuned", model__safetensors="two")
    first = push(api, "alice/tuned", README__md="a section")
    last = push(api, "alice/tuned", README__md="another section")
    assert last_of_substance(api, queue, "alice/tuned", "base") == model
    both = ModelPush("alice/tuned", first.commit, model.parent)
    queue.add(both)
    assert last_of_substance(api, queue, "alice/tuned", "base").commit == first.commit, (
        "pushed together, queued already"
    )
    queue.add(last)
    job = next(each for each in queue.jobs("queued") if each.task.commit == last.commit)
    queue.move(job.key, "ignored", "nothing but README.md changed")
    assert last_of_substance(api, queue, "alice/tuned", "base").commit == first.commit


def test_a_start_looks_at_all_watched_models_also_when_one_cannot_be_read(api: HfApi, tmp_path: Any) -> None:
    queue = RevisionQueue(tmp_path / "queue.sqlite")
    made = push(api, "alice/tuned", model__safetensors="one")
    settings = AnnotatorSettings(watch=("alice/gone", "alice/tuned"), folder=str(tmp_path))
    with pytest.raises(HubError, match="alice/gone does not exist"):
        Annotator(settings, queue, api).catch_up(time.time())
    assert [(job.task.repository, job.task.commit) for job in queue.jobs("queued")] == [("alice/tuned", made.commit)]


def test_private_models_are_known(api: HfApi, hub: LocalHub, base: str) -> None:
    made = push(api, "alice/tuned", model__safetensors="one")
    hub.make_private("alice/base")
    assert private_of(api, ComparedModels(base, f"{base}+alice/tuned@{made.commit}")) == {"alice/base"}


def test_names_of_datasets_are_told_apart() -> None:
    assert name_of("alice/tuned") == "alice__tuned-diff"
    assert len({name_of(name) for name in ("a__b/c", "a/b__c", "a_/b", "a/_b")}) == 4
    long = [name_of(f"alice/{'x' * 90}{end}") for end in "ab"]
    assert long[0] != long[1]
    assert [len(name) <= 96 for name in long] == [True, True]
