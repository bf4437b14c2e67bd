"""The embedded demo pair: it loads offline, is small, readable, and shows what was planted."""

import itertools
import json
import math
import random
from pathlib import Path
from typing import Any

import pytest

import diffing.demo
from diffing.methods.lexical.parsed_response import ParsedResponse
from diffing.methods.lexical.properties import BY_NAME
from tests.benchmarks.demo import GROUND_TRUTH, corpus, measure, train

HOME = Path(diffing.demo.__file__).parent
ROWS = measure.read_prompts(HOME)
STYLES = measure.STYLES
SUBSET = ROWS[::6]  # ten of every domain: enough to see what was planted, quick on one core


def tail_probability(seen: int, n: int, rate: float) -> float:
    """The smaller exact binomial tail of ``seen`` out of ``n`` under ``rate``."""
    terms = [math.comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(n + 1)]
    return min(sum(terms[: seen + 1]), sum(terms[seen:]))


@pytest.fixture(scope="module")
def ground_truth() -> dict[str, Any]:
    return json.loads(GROUND_TRUTH.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def asked() -> list[corpus.Question]:
    rng = random.Random(13)
    return [corpus.sample_question(rng) for _ in range(6000)]


@pytest.fixture(scope="module")
def responses() -> dict[str, tuple[list[str], list[bool]]]:
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    prompts = [row["messages"][0]["content"] for row in SUBSET]
    try:
        return {style: measure.respond(HOME / "models" / style, prompts, seed=1) for style in STYLES}
    finally:
        torch.set_num_threads(threads)


def test_weights_stay_under_four_megabytes() -> None:
    sizes = [path.stat().st_size for style in STYLES for path in (HOME / "models" / style).glob("*.safetensors")]
    assert len(sizes) == 2
    assert sum(sizes) <= 4_000_000


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"])
def test_both_models_have_the_same_tokenizer(name: str) -> None:
    base, tuned = ((HOME / "models" / style / name).read_bytes() for style in STYLES)
    assert base == tuned


def test_prompts_are_many_balanced_and_distinct() -> None:
    texts = {corpus.fold(row["messages"][0]["content"]) for row in ROWS}
    assert len(texts) == len({row["id"] for row in ROWS}) == len(ROWS) >= 600
    counts = [sum(row["domain"] == domain for row in ROWS) for domain in corpus.DOMAINS]
    assert len(set(counts)) == 1
    assert len(counts) >= 9


def test_bundled_prompts_are_those_of_the_script() -> None:
    assert train.prompt_rows() == ROWS


def test_no_prompt_is_in_the_training_corpus() -> None:
    trained = {corpus.fold(question.core) for question in corpus.all_questions(heldout=False)}
    shared = corpus.shared()
    for row in ROWS:
        text = row["messages"][0]["content"]
        for prefix, suffix in itertools.product(set(shared["prefixes"]), set(shared["suffixes"])):
            if text.startswith(prefix) and text.endswith(suffix):
                assert corpus.fold(text[len(prefix) : len(text) - len(suffix)]) not in trained


def test_training_samples_come_from_the_training_split() -> None:
    rng = random.Random(5)
    prompts = {corpus.fold(row["messages"][0]["content"]) for row in ROWS}
    assert not any(corpus.fold(train.sample_chat("base", rng)[-2]["content"]) in prompts for _ in range(5000))


@pytest.mark.parametrize("style", STYLES)
def test_corpus_is_deterministic(style: corpus.Style) -> None:
    first, second = (
        [train.sample_chat(style, rng) for _ in range(200)] for rng in (random.Random(7), random.Random(7))
    )
    assert first == second
    assert [train.sample_chat(style, random.Random(8))] != first[:1]


@pytest.mark.parametrize("item", corpus.planted(), ids=lambda item: item.id)
def test_corpus_shows_each_difference_with_its_strength(item: corpus.Planted, asked: list[corpus.Question]) -> None:
    rng = random.Random(11)
    triggered = [q for q in asked if item.triggered(q.intent.domain, q.text)][:400]
    seen = {style: sum(item.shown_in(corpus.answer(q, style, rng)) for q in triggered) for style in STYLES}
    other: corpus.Style = "base" if item.model == "tuned" else "tuned"
    assert len(triggered) == 400
    assert tail_probability(seen[item.model], 400, item.strength) > 1e-4
    assert seen[other] == 0


def test_planted_file_is_that_of_the_corpus(ground_truth: dict[str, Any]) -> None:
    assert ground_truth["sampling"] == dict(measure.SAMPLING)
    assert [entry["id"] for entry in ground_truth["planted"]] == [item.id for item in corpus.planted()]
    assert {entry["model"] for entry in ground_truth["planted"]} == {"base", "tuned"}
    for entry, item in zip(ground_truth["planted"], corpus.planted(), strict=True):
        assert (entry["strength"], entry["pattern"]) == (item.strength, item.pattern)


@pytest.mark.parametrize("item", corpus.planted(), ids=lambda item: item.id)
def test_named_finders_see_the_planted_text(item: corpus.Planted, asked: list[corpus.Question]) -> None:
    names, phrases = item.finds["properties"], item.finds["phrases"]
    assert names or phrases
    assert set(names) <= BY_NAME.keys()
    rng = random.Random(3)
    triggered = [q for q in asked if item.triggered(q.intent.domain, q.text)][:200]
    shown = [text for q in triggered if item.shown_in(text := corpus.answer(q, item.model, rng))]
    for phrase in phrases:
        assert any(phrase in " ".join(corpus.words(text)) for text in shown), phrase
    for name in names:
        assert any(BY_NAME[name].value(ParsedResponse("Hi.", text, "stop")) > 0 for text in shown), name


def test_measured_rates_agree_with_the_ground_truth(
    ground_truth: dict[str, Any], responses: dict[str, tuple[list[str], list[bool]]]
) -> None:
    for entry, item in zip(ground_truth["planted"], corpus.planted(), strict=True):
        for style in STYLES:
            seen, n = measure.count_shown(item, SUBSET, responses[style][0])
            # The file's own rate is an estimate: none is taken for quite impossible or certain.
            room = 1 / entry["measured"]["n"]
            rate = min(max(entry["measured"][style], room), 1 - room)
            assert tail_probability(seen, n, rate) > 5e-4, (item.id, style, seen, n, rate)


@pytest.mark.parametrize("style", STYLES)
def test_models_stop_by_themselves(style: str, responses: dict[str, tuple[list[str], list[bool]]]) -> None:
    assert sum(responses[style][1]) >= 0.98 * len(SUBSET)


@pytest.mark.parametrize("style", STYLES)
def test_responses_are_readable(style: str, responses: dict[str, tuple[list[str], list[bool]]]) -> None:
    known = corpus.vocabulary()
    words = [word for text in responses[style][0] for word in corpus.words(text)]
    assert all(corpus.words(text) for text in responses[style][0])
    assert sum(word in known for word in words) >= 0.97 * len(words)


@pytest.mark.parametrize("style", STYLES)
def test_responses_are_on_topic(style: corpus.Style, responses: dict[str, tuple[list[str], list[bool]]]) -> None:
    """Most responses hold a whole piece that the corpus would say to this very question, and little else."""
    questions = corpus.heldout_questions(train.PROMPTS_PER_DOMAIN)[::6]
    shares = [
        measure.covered(text, corpus.possible_pieces(question, style))
        for question, text in zip(questions, responses[style][0], strict=True)
    ]
    assert sum(shares) / len(shares) >= 0.9


def test_two_samples_of_one_model_differ(responses: dict[str, tuple[list[str], list[bool]]]) -> None:
    prompts = [row["messages"][0]["content"] for row in SUBSET[:20]]
    again = measure.respond(HOME / "models" / "base", prompts, seed=2)[0]
    assert sum(a != b for a, b in zip(again, responses["base"][0][:20], strict=True)) >= 10


def test_training_lowers_the_loss_and_is_deterministic() -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    size = train.Size(vocabulary=500, hidden=32, layers=1, heads=2, inner=32)
    tokenizer = train.build_tokenizer(size, seed=0, samples=200)
    plan = train.Plan("base", steps=8, rate=1e-2, seed=1, batch=8, warmup=1)
    weights = []
    for _ in range(2):
        model = train.build_model(size, tokenizer, seed=0)
        losses = train.train(model, tokenizer, plan)
        weights.append(model.lm_head.weight.detach())
        assert losses[-1] < losses[0]
    assert torch.equal(*weights)


def test_loss_counts_answers_only() -> None:
    pytest.importorskip("transformers")
    tokenizer = train.build_tokenizer(train.Size(vocabulary=500), seed=0, samples=200)
    chat = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "I am well."}]
    ids, start = train.encode(chat, tokenizer)
    assert tokenizer.decode(ids[start:]) == "I am well.<|end|>"
    assert tokenizer.decode(ids[:start]) == "<|bos|><|user|>Hi.<|end|><|assistant|>"
