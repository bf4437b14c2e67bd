"""A trained crosscoder is kept, pushed to the Hub with a card, and opened from there with exactly the same tensors."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from markdown_it import MarkdownIt

from diffing.cli import push as push_command
from diffing.errors import SettingError
from diffing.hub import hub_api, metadata_of
from diffing.methods.crosscoder import run_training
from diffing.methods.crosscoder.dictionaries import hash_of
from diffing.methods.crosscoder.dictionary import Crosscoder
from diffing.methods.crosscoder.difference_dictionary import DifferenceDictionary
from diffing.methods.crosscoder.published.crosscoder import PublishedCrosscoder
from diffing.methods.crosscoder.published.layout_reading import read_published
from diffing.methods.crosscoder.sparse_dictionary import DictionaryWeights, Normaliser
from diffing.methods.crosscoder.training_settings import DictionarySource, DictionaryTrainingSettings
from diffing.methods.inside.kept_dictionaries import dictionary_folder, find_dictionary, remove_oldest
from diffing.outputs.dictionary import push_dictionary
from diffing.report import save_report
from diffing.types import Report
from tests.hub import LocalHub
from tests.hub.fixtures import hub
from tests.outputs.samples import HOSTILE, medium_report

__all__ = ["hub"]
WIDTH, LATENTS = 3, 6
NASTY = " ".join(HOSTILE)
BOTH = (f"org/base@{'0' * 40}", f"org/tuned@{'1' * 40}#bfloat16")


def random(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def kept(
    trainings: Path, models: tuple[str, str] = BOTH
) -> tuple[DictionaryTrainingSettings, Crosscoder, DifferenceDictionary]:
    """Keeps a crosscoder and a difference dictionary of random weights, as a training does."""
    source = DictionarySource(models, models, (2, 2), "texts")
    settings = DictionaryTrainingSettings(source, True, LATENTS, (1, 1), 2, 5_000, 2e-3, 128, seed=7)
    two = [(random(LATENTS, WIDTH, seed=i), random(WIDTH, seed=9 + i)) for i in range(3)]
    own, of = (random(LATENTS, seed=20), random(LATENTS, seed=21))
    crosscoder = Crosscoder(
        DictionaryWeights((two[0][0], two[1][0]), own, (two[1][0], two[2][0]), (two[0][1], two[1][1])),
        Normaliser((two[2][1], two[0][1]), (0.3, 1 / 7)),
        threshold=0.1,
        k=2,
        partition=(1, 1),
        same_space=True,
        source=source,
    )
    difference = DifferenceDictionary(
        DictionaryWeights((two[2][0],), of, (two[0][0],), (two[2][1],)),
        Normaliser((two[1][1],), (0.7,)),
        threshold=0.2,
        k=1,
        source=source,
    )
    run_training._keep(trainings / settings.identity[:16], settings, crosscoder, difference)
    return settings, crosscoder, difference


def reported(crosscoder: Crosscoder, difference: DifferenceDictionary) -> Report:
    """The report of a run that used them."""
    figures = ("fve_a", "fve_b", "l0", "dead", "aligned_a", "aligned_b")
    counts = {f"exclusive_{side}{when}": 4 for side in "ab" for when in ("", "_before")}
    row = {"dictionary": hash_of(crosscoder, difference), **dict.fromkeys(figures, 0.731), **counts}
    report = medium_report(train=10, heldout=12)
    return replace(report, tables={"crosscoder_quality": (row,)}, settings={**report.settings, "corpus": NASTY})


def test_a_run_with_the_same_settings_reuses_what_is_kept_and_trains_damaged_ones_anew(tmp_path: Path) -> None:
    settings, crosscoder, difference = kept(tmp_path)
    training = tmp_path / settings.identity[:16]
    found = run_training._kept(training, settings)
    assert found is not None
    assert found[1] is not None
    assert (found[0].hash, found[1].hash) == (crosscoder.hash, difference.hash)
    assert run_training._kept(training, replace(settings, seed=8)) is None
    (dictionary_folder(training) / "difference" / "model.safetensors").write_bytes(b"damaged")
    assert run_training._kept(training, settings) is None


def test_the_oldest_trainings_make_room(tmp_path: Path) -> None:
    for index, name in enumerate(("old", "current", "new")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_bytes(bytes(100))
        os.utime(tmp_path / name, (index, index))
    remove_oldest(tmp_path, tmp_path / "current", most=200)
    assert {each.name for each in tmp_path.iterdir()} == {"current", "new"}
    remove_oldest(tmp_path, tmp_path / "current", most=10)
    assert {each.name for each in tmp_path.iterdir()} == {"current"}


def test_a_pushed_crosscoder_opens_with_exactly_the_same_tensors(
    hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "downloads"))
    _, crosscoder, difference = kept(tmp_path / "trainings")
    report = reported(crosscoder, difference)
    api = hub_api(hub.add_user("alice"))
    pushed = push_dictionary(report, tmp_path / "trainings", "alice/cc", api=api)
    assert pushed.changed
    assert not push_dictionary(report, tmp_path / "trainings", "alice/cc", api=api).changed

    opened = read_published(f"alice/cc@{pushed.commit}")
    assert opened.models == BOTH
    assert opened.blocks == (2, 2)
    for own, published in zip(tensors(crosscoder.weights), tensors(opened.weights), strict=True):
        assert torch.equal(own, published)
    assert opened.difference is not None
    assert opened.difference.hash == difference.hash
    assert isinstance(opened.normaliser, Normaliser)
    assert opened.normaliser.scales == crosscoder.normaliser.scales
    a, b = random(40, WIDTH, seed=31), random(40, WIDTH, seed=32)
    reading = PublishedCrosscoder.of(opened, opened.normaliser, same_space=True)
    assert torch.equal(reading.activations(a, b), crosscoder.activations(a, b))

    swapped = opened.swapped()
    assert swapped.difference is not None
    assert torch.equal(swapped.difference.activations(b, a), difference.activations(a, b))
    assert torch.equal(swapped.difference.direction(2), -difference.direction(2))


def tensors(weights: DictionaryWeights) -> tuple[torch.Tensor, ...]:
    return (*weights.encoders, weights.bias, *weights.decoders, *weights.output_biases)


def test_a_repository_of_something_else_is_not_overwritten(hub: LocalHub, tmp_path: Path) -> None:
    _, crosscoder, difference = kept(tmp_path)
    report = reported(crosscoder, difference)
    api = hub_api(hub.add_user("alice"))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "README.md").write_text("---\nlicense: mit\n---\n# A model\n")
    hub.push_folder("alice/model", tmp_path / "model")
    with pytest.raises(SettingError, match=r"alice/model exists and holds no crosscoder .*: give another name$"):
        push_dictionary(report, tmp_path, "alice/model", api=api)
    push_dictionary(report, tmp_path, "alice/cc", api=api)
    _, *others = kept(tmp_path, ("org/one", "org/two"))
    with pytest.raises(SettingError, match=r"holds the crosscoder of org/base and org/tuned.*\(--overwrite\)"):
        push_dictionary(reported(*others), tmp_path, "alice/cc", api=api)
    assert push_dictionary(reported(*others), tmp_path, "alice/cc", api=api, overwrite=True).changed
    with pytest.raises(SettingError, match="exists and is public: make it private"):
        push_dictionary(reported(*others), tmp_path, "alice/cc", api=api, private=True)


def test_the_crosscoder_of_a_private_model_is_private(hub: LocalHub, tmp_path: Path) -> None:
    _, crosscoder, difference = kept(tmp_path, ("alice/secret", "org/tuned"))
    api = hub_api(hub.add_user("alice"))
    api.create_repo("alice/secret", private=True)
    pushed = push_dictionary(reported(crosscoder, difference), tmp_path, "alice/cc", api=api)
    assert pushed.private_as == "alice/secret"
    assert hub.repo("alice/cc").private


def test_the_card_tells_what_it_is_and_no_name_becomes_markup(hub: LocalHub, tmp_path: Path) -> None:
    models = ("org/base@0", NASTY)
    settings, crosscoder, difference = kept(tmp_path, models)
    push_dictionary(reported(crosscoder, difference), tmp_path, "alice/cc", api=hub_api(hub.add_user("alice")))
    repo = hub.repo("alice/cc")
    card = repo.files()["README.md"]
    metadata = metadata_of(card)
    assert metadata["tags"] == ["diffing-crosscoder", "crosscoder"]
    assert "org/base" in metadata["base_model"]  # type: ignore[operator]
    text = card.decode()
    for told in (
        "| A | `org/base@0` | 2 |",
        "5,000",
        "seed | 128, 0.002, 7",
        "0.73",
        "10 train prompts",
        "licences and",
    ):
        assert told in text
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text.split("---\n", 2)[2])
    assert "<script" not in html
    assert "<img" not in html
    assert settings.seed == 7


def test_a_report_without_a_kept_crosscoder_is_told_so(tmp_path: Path) -> None:
    _, crosscoder, difference = kept(tmp_path / "inside")
    report = reported(crosscoder, difference)
    assert find_dictionary(tmp_path / "inside", hash_of(crosscoder, difference)) is not None
    for told, cache, message in (
        (report, tmp_path / "elsewhere", "is not kept in the cache .*: start the same run again"),
        (
            replace(report, tables={}),
            tmp_path,
            "this report has none: give the report of a run with",
        ),
    ):
        folder = save_report(told, tmp_path / message[:6])
        with pytest.raises(SettingError, match=message):
            push_command.push(str(folder), "alice/diff", dictionary="alice/cc", cache=cache, dry_run=True)
