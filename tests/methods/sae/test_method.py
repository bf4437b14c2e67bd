"""The whole method on responses with planted words: read, screen, show, verify."""

from pathlib import Path

import numpy as np
import pytest
import torch

from diffing import metrics
from diffing.errors import SettingError
from diffing.methods.base import MeasuringMethod
from diffing.methods.sae import SaeMethod, SaeOptions
from diffing.models.cache import Store
from diffing.types import LatentMeasure, Message, Pair, Prompt, Response, Verdict
from tests.methods.sae.tiny import save_reader

LETTERS = "zq!"  # latent 0, 1, 2 fire on these bytes


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A reader and an SAE with one latent for each of `LETTERS`."""
    from sae_lens import StandardSAE, StandardSAEConfig
    from sae_lens.saes.sae import SAEMetadata
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("planted")
    model = save_reader(folder / "reader", "llama")
    weight = model.get_input_embeddings().weight
    with torch.no_grad():
        weight.copy_(weight / weight.norm(dim=1, keepdim=True))
    model.save_pretrained(folder / "reader")
    ids = AutoTokenizer.from_pretrained(folder / "reader").convert_tokens_to_ids(list(LETTERS))
    metadata = SAEMetadata(model_name="tiny", hook_name="blocks.0.hook_resid_pre")
    sae = StandardSAE(StandardSAEConfig(d_in=32, d_sae=64, apply_b_dec_to_input=False, metadata=metadata))
    with torch.no_grad():
        sae.W_enc.zero_()
        sae.W_enc[:, : len(ids)] = weight[ids].T
        sae.b_enc.fill_(-0.9)
    sae.save_model(folder / "sae")
    return str(folder / "reader"), str(folder / "sae")


def make_pairs(count: int, split: str = "train", finish: str = "stop") -> tuple[Pair, ...]:
    """A says "z" in every second response where B does not; B ends every response with "!", A every third."""
    pairs = []
    for i in range(count):
        a = f"the answer {i}{' with zest' if i % 2 else ''}{'!' if i % 3 == 0 else '.'}"
        b = f"well, {i} is it!"
        prompt = Prompt(f"{split}-{i}", (Message("user", f"question {i} zq!"),), "test", split)  # type: ignore[arg-type]
        pairs.append(
            Pair(prompt, Response(prompt.id, "a", a, "stop"), Response(prompt.id, "b", b, finish))  # type: ignore[arg-type]
        )
    return tuple(pairs)


def method(parts: tuple[str, str], store: Store | None = None, **options: object) -> SaeMethod:
    return SaeMethod(parts[0], sae=parts[1], store=store, options=SaeOptions(**options))  # type: ignore[arg-type]


def test_planted_words_are_found_and_verified(parts: tuple[str, str]) -> None:
    sae = method(parts)
    assert isinstance(sae, MeasuringMethod)
    discovery = sae.find_hypotheses(make_pairs(60))
    assert [(h.measure, h.direction) for h in discovery.hypotheses] == [
        (LatentMeasure((2,)), "b"),
        (LatentMeasure((0,)), "a"),
    ]
    second = discovery.hypotheses[1]
    assert second.text == "<MODEL>'s responses activate feature 0 (strongest at \"z\") more often than <OTHER MODEL>'s."
    assert second.train_effect == 0.5
    assert all(
        e.side == "a" and e.quote in {p.prompt.id: p for p in make_pairs(60)}[e.prompt_id].a.text
        for e in second.evidence
    )
    rows = discovery.tables["features"]
    assert [(r["index"], r["rate_a"], r["rate_b"], r["top_tokens"], r["url"]) for r in rows] == [
        (2, 1 / 3, 1.0, "!", None),
        (0, 0.5, 0.0, "z", None),
    ]
    assert {r["passage"] for r in discovery.tables["examples"] if r["index"] == 0} <= {
        p.a.text.replace("z", "«z»") for p in make_pairs(60)
    }
    assert discovery.left_out == {"features active in no response": 62}
    heldout = make_pairs(30, "heldout")
    judged = sae.measure(discovery.hypotheses, heldout)
    verdicts = [j.verdict for j in judged if j.hypothesis_id == second.id]
    assert verdicts == [Verdict.A if i % 2 else Verdict.NEITHER for i in range(30)]
    assert [j.prompt_id for j in judged[:30]] == [p.prompt.id for p in heldout]
    measured_both = sae.measure_values(discovery.hypotheses, heldout)
    assert measured_both.judgements == judged
    # feature 0 is active in every second response of A, and in none of B
    assert measured_both.values[second.measure].tolist() == [[float(i % 2) for i in range(30)], [0.0] * 30]
    measured = metrics.confirm(
        {
            h.id: metrics.measure([j for j in judged if j.hypothesis_id == h.id], h.direction)
            for h in discovery.hypotheses
        }
    )
    assert all(metrics.confirmed(m) for m in measured.values())


def test_the_same_responses_on_both_sides_give_nothing(parts: tuple[str, str]) -> None:
    pairs = [Pair(p.prompt, p.a, p.a) for p in make_pairs(40)]
    discovery = method(parts).find_hypotheses(pairs)
    assert discovery.hypotheses == ()
    assert discovery.tables["features"] == ()


def test_missing_and_unreadable_responses_are_outside_every_rate(parts: tuple[str, str]) -> None:
    pairs = make_pairs(40)
    long = make_pairs(41)[-1]
    long = Pair(long.prompt, long.a, Response(long.prompt.id, "b", "x" * 300, "length"))
    failed = make_pairs(45, finish="error")[-1]
    sae = method(parts)
    discovery = sae.find_hypotheses((*pairs, long, failed))
    assert discovery.left_out["pairs that cannot be read: longer than the reader's context of 256 tokens"] == 1
    assert discovery.left_out["pairs without an answer of one side"] == 1
    assert discovery.tables["features"] == method(parts).find_hypotheses(pairs).tables["features"]
    verdicts = [j.verdict for j in sae.measure(discovery.hypotheses[:1], (long, failed))]
    assert verdicts == [Verdict.UNREADABLE, Verdict.UNREADABLE]
    (values,) = sae.measure_values(discovery.hypotheses[:1], (long, failed)).values.values()
    assert np.isnan(values).all()
    assert values.shape == (2, 2)


def test_number_of_hypotheses_is_per_direction(parts: tuple[str, str]) -> None:
    discovery = method(parts, features=2).find_hypotheses(make_pairs(60))
    assert {h.direction for h in discovery.hypotheses} == {"a", "b"}
    none = method(parts, features=0).find_hypotheses(make_pairs(60))
    assert none.hypotheses == ()
    assert none.left_out["features that differ less than those followed up"] == 2


def test_a_rerun_reads_nothing_and_finds_the_same(parts: tuple[str, str], tmp_path: Path) -> None:
    pairs, heldout = make_pairs(60), make_pairs(20, "heldout")
    first = method(parts, Store(tmp_path / "store.sqlite"))
    found = first.find_hypotheses(pairs)
    judged = first.measure(found.hypotheses, heldout)
    again = method(parts, Store(tmp_path / "store.sqlite"))
    assert again.find_hypotheses(pairs) == found
    assert again.measure(found.hypotheses, heldout) == judged
    assert again._reading._sae_reader is None  # neither reader nor SAE was loaded


def test_the_cache_knows_prompt_response_reader_and_sae(parts: tuple[str, str], tmp_path: Path) -> None:
    from diffing.methods.exchanges import Exchange
    from diffing.methods.sae.activation_cache import CachedReading
    from diffing.methods.sae.reader_loading import open_sae
    from tests.methods.sae.tiny import save_sae

    store = Store(tmp_path / "store.sqlite")
    user = (Message("user", "hello"),)
    CachedReading(open_sae(*parts), store).read([Exchange(user, "zest")])
    other_sae = str(save_sae(tmp_path / "sae", "standard", "blocks.0.hook_resid_post", d_sae=64))
    for reading, exchange in (
        (CachedReading(open_sae(*parts), store), Exchange((*user, Message("assistant", "hm"), *user), "zest")),
        (CachedReading(open_sae(*parts), store), Exchange((Message("system", "hello"), *user), "zest")),
        (CachedReading(open_sae(*parts), store), Exchange(user, "zest ")),
        (CachedReading(open_sae(parts[0], other_sae), store), Exchange(user, "zest")),
    ):
        reading.read([exchange])
        assert reading._sae_reader is not None
    same = CachedReading(open_sae(*parts), store)
    same.read([Exchange(user, "zest")])
    assert same._sae_reader is None


def test_nothing_is_opened_before_it_is_needed() -> None:
    lazy = SaeMethod("no/such-reader-at-all", sae="no-such-release/x")
    assert lazy.name == "sae"
    assert lazy.measure((), ()) == []
    with pytest.raises(SettingError, match="neither a folder nor release/sae_id"):
        lazy.find_hypotheses(())
