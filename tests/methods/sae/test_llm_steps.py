"""The steps with an LLM against the local rule server: real HTTP, features planted in both directions."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from diffing.methods.features import summarise as summarising
from diffing.methods.sae import SaeMethod, SaeOptions
from diffing.methods.sae.hypotheses import FEATURE_METHOD
from diffing.methods.sae.stages import LLM_STAGES
from diffing.models.openai_compatible import OpenAIModel
from diffing.types import LatentMeasure
from tests.methods.sae.test_method import make_pairs, parts  # noqa: F401 - the fixture
from tests.servers.openai_server import OpenAIServer

BLOCK = re.compile(r"\[\[material ([0-9a-f]{16})\n(.*?)\nmaterial \1\]\]", re.DOTALL)


def word(block: str) -> str:
    """The last word of a block's first line."""
    return block.splitlines()[0].split()[-1].strip(chr(34))


class Rules:
    """Answers the three templates by rules: labels name the marked letter, scores look for it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def __call__(self, request: dict[str, Any]) -> str:
        text = request["messages"][-1]["content"]
        blocks = [found[1] for found in BLOCK.findall(text)]
        if "## Passages in which it is active" in text:
            active, silent = text.split("## Passages in which it is silent")
            self.seen.append(("label", text))
            marked = {found for block in BLOCK.findall(active) for found in re.findall("«(.*?)»", block[1])}
            assert len(marked) == 1, marked
            letter = marked.pop()
            assert not any(letter in block[1] for block in BLOCK.findall(silent))
            return f'{{"label": "the sign {letter}"}}'
        if "## Passage" in text:
            self.seen.append(("score", text))
            label, passage = blocks
            return '{"has_it": "yes"}' if label.startswith("the sign") and label[-1] in passage else '{"has_it": "no"}'
        if "Feature 1" in text:
            self.seen.append(("summarise", text))
            claims = [
                f'{{"hypothesis": "<MODEL> writes {word(block)}", "features": [{i + 1}, 99], "category": "style"}}'
                for i, block in enumerate(blocks)
            ]
            return f'{{"hypotheses": [{", ".join(claims)}]}}'
        self.seen.append(("merge", text))
        return '{"chosen": [1]}'


@pytest.fixture
def rules() -> Iterator[tuple[Rules, OpenAIModel]]:
    made = Rules()
    with OpenAIServer(made) as server:
        yield made, OpenAIModel("rules", server.base_url)


def test_labels_and_hypotheses_in_both_directions(parts: tuple[str, str], rules: tuple[Rules, OpenAIModel]) -> None:  # noqa: F811
    _, llm = rules
    sae = SaeMethod(parts[0], sae=parts[1], llm=llm)
    pairs = make_pairs(60)
    discovery = sae.find_hypotheses(pairs)
    rows = {row["index"]: row for row in discovery.tables["features"]}
    # "!" is always in B's responses, so it has no negatives there: no label can be scored
    assert (rows[0]["label"], rows[0]["label_source"], rows[0]["label_score"]) == ("the sign z", llm.id, 1.0)
    assert rows[2]["label"] is None
    assert {(h.text, h.direction, h.measure) for h in discovery.hypotheses} == {
        ("<MODEL> writes z", "a", LatentMeasure((0,), in_words=True)),
        ("<MODEL> writes !", "b", LatentMeasure((2,), in_words=True)),
    }
    assert {h.train_effect for h in discovery.hypotheses} == {0.5, 1 - 1 / 3}
    assert discovery.left_out["features of which no label scored enough"] == 1
    assert {(u.stage, u.calls) for u in discovery.usage} == {
        ("label", 2),
        ("score new labels", 10),
        ("summarise a", 1),
        ("summarise b", 1),
    }
    assert [model.id for model in sae.models][1] == llm.id


def test_labels_come_from_the_side_that_fires_more_and_the_scorer_is_blind(
    parts: tuple[str, str],  # noqa: F811
    rules: tuple[Rules, OpenAIModel],
) -> None:
    made, llm = rules
    pairs = make_pairs(60)
    SaeMethod(parts[0], sae=parts[1], llm=llm).find_hypotheses(pairs)
    of_a = {pair.a.text for pair in pairs}
    of_b = {pair.b.text for pair in pairs}
    for kind, text in made.seen:
        blocks = [found[1] for found in BLOCK.findall(text)]
        if kind == "label":
            plain = {block.replace("«", "").replace("»", "") for block in blocks}
            assert plain <= (of_a if "«z»" in text else of_b)
        if kind == "score":
            assert blocks[1] in of_a | of_b  # as it stands in the response: no marks
            assert "«" not in text
    written = {b[1].replace("«", "").replace("»", "") for k, t in made.seen if k == "label" for b in BLOCK.findall(t)}
    scored = {BLOCK.findall(t)[1][1] for k, t in made.seen if k == "score"}
    assert not written & scored
    assert Counter("z" in passage for passage in scored) == {True: 5, False: 5}


def test_an_old_label_is_scored_on_the_same_examples(parts: tuple[str, str], rules: tuple[Rules, OpenAIModel]) -> None:  # noqa: F811
    from dataclasses import replace

    from diffing.methods.features.feature_evidence import collect_evidence
    from diffing.methods.features.feature_screening import ScreenOptions, count_latents, screen
    from diffing.methods.features.labelling import label_features

    made, llm = rules
    sae = SaeMethod(parts[0], sae=parts[1])
    both, _ = sae._read(make_pairs(60), lambda *_: None)
    screened = [one for one in screen(count_latents([(p.a, p.b) for p in both], 64), ScreenOptions()) if one.index == 0]
    (feature,) = collect_evidence(screened, both, sae._reading, 5)
    wrong = replace(feature, label="a wrong one", label_source="published")
    labelled = label_features(llm, [wrong], both, sae._reading, LLM_STAGES)
    assert labelled.features[0].label == "the sign z"
    scored = [BLOCK.findall(text) for kind, text in made.seen if kind == "score"]
    passages = [sorted(b[1][1] for b in scored if b[0][1] == label) for label in ("a wrong one", "the sign z")]
    assert len(passages[0]) == 10
    assert passages[0] == passages[1]
    right = replace(feature, label="the sign z", label_source="published")
    kept = label_features(llm, [right], both, sae._reading, LLM_STAGES).features[0]
    assert (kept.label_source, kept.label_score) == ("published", 1.0)


def test_many_features_are_summarised_in_batches_and_sifted(
    parts: tuple[str, str],  # noqa: F811
    rules: tuple[Rules, OpenAIModel],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from diffing.methods.features.feature_evidence import FeatureEvidence
    from diffing.methods.features.feature_screening import ScreenedLatent

    made, llm = rules
    monkeypatch.setattr(summarising, "IN_ONE_CALL", 2)
    monkeypatch.setattr(summarising, "IN_A_BATCH", 2)
    both, _ = SaeMethod(parts[0], sae=parts[1])._read(make_pairs(10), lambda *_: None)
    features = [FeatureEvidence(ScreenedLatent(i, 0.9, 0.1, 0.0, 0.0), (), label=f"label {i}") for i in range(5)]
    summed = summarising.summarise(llm, features, both, 4, FEATURE_METHOD)
    assert Counter(kind for kind, _ in made.seen) == {"summarise": 3, "merge": 1}
    assert len(summed.hypotheses) == 1
    assert summed.hypotheses[0].direction == "a"


def test_options_have_a_say(parts: tuple[str, str], rules: tuple[Rules, OpenAIModel]) -> None:  # noqa: F811
    made, llm = rules
    sae = SaeMethod(parts[0], sae=parts[1], llm=llm, options=SaeOptions(features=0))
    discovery = sae.find_hypotheses(make_pairs(60))
    assert discovery.hypotheses == ()
    assert not made.seen
