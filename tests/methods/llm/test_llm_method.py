"""Planted differences are found and confirmed with exactly their strength, over real HTTP, whatever goes wrong."""

import hashlib
import json
import sys
from collections import defaultdict

import pytest

from diffing import metrics
from diffing.errors import HubError, MissingExtraError, SettingError
from diffing.judge import judge
from diffing.methods.llm import LlmMethod
from diffing.models.openai_compatible import OpenAIModel
from diffing.models.scripted import ScriptedModel
from diffing.types import Evidence
from tests.servers.openai_server import Drop, Hang, NullContent, OpenAIServer, Status, Truncated
from tests.servers.rules import PRAISE, REFUSAL, RuleLLM, in_process, planted_pairs
from tests.waiting import DEADLINE

PAIRS = planted_pairs()
TRAIN = [pair for pair in PAIRS if pair.prompt.split == "train"]
# (n, k_for, k_against) per split, by construction
EXPECTED = {
    (PRAISE.hypothesis, "b"): {"train": (100, 50, 10), "heldout": (50, 25, 5)},
    (REFUSAL.hypothesis, "a"): {"train": (100, 30, 10), "heldout": (50, 15, 5)},
}
FEW_PAIRS = planted_pairs(20, 10)
FEW = {
    (PRAISE.hypothesis, "b"): {"train": (20, 10, 2), "heldout": (10, 5, 1)},
    (REFUSAL.hypothesis, "a"): {"train": (20, 6, 2), "heldout": (10, 3, 1)},
}


def run(url, embedder, pairs=PAIRS, **options):
    """Find, judge and measure, as the pipeline does."""
    model = OpenAIModel("rules", url, timeout=DEADLINE, concurrency=16)
    method = LlmMethod(model, embedder=embedder, **options)
    discovery = method.find_hypotheses([pair for pair in pairs if pair.prompt.split == "train"])
    return discovery, judge(model, discovery.hypotheses, pairs)


def measured(discovery, judged):
    found = {}
    for hypothesis in discovery.hypotheses:
        for split in ("train", "heldout"):
            mine = [
                judgement
                for judgement in judged.judgements
                if judgement.hypothesis_id == hypothesis.id and judgement.prompt_id.startswith(split)
            ]
            key = (hypothesis.text, hypothesis.direction)
            found.setdefault(key, {})[split] = metrics.measure(mine, hypothesis.direction)
    return found


def counts(found):
    return {key: {split: (m.n, m.k_for, m.k_against) for split, m in splits.items()} for key, splits in found.items()}


@pytest.fixture(scope="session")
def potion(shared_data):
    return str(shared_data / "models" / "potion-base-4m-int8")


def test_planted_truth(potion):
    with OpenAIServer(RuleLLM()) as server:
        discovery, judged = run(server.base_url, potion)
        assert server.count == 100 + 2 + 150 == sum(u.calls for u in (*discovery.usage, judged.usage))
    found = measured(discovery, judged)
    assert counts(found) == EXPECTED
    heldout = metrics.confirm({text: splits["heldout"] for (text, _), splits in found.items()})
    for (text, _), splits in found.items():
        assert metrics.accepted(splits["train"])
        assert metrics.confirmed(heldout[text])
    praise = found[PRAISE.hypothesis, "b"]["heldout"]
    assert (praise.accuracy.value, praise.frequency.value) == (25 / 30, 30 / 50)
    refusal = found[REFUSAL.hypothesis, "a"]["heldout"]
    assert (refusal.accuracy.value, refusal.frequency.value) == (15 / 20, 20 / 50)
    assert discovery.left_out == {"clusters that only repeat another one from the other side": 2}
    assert judged.notes == ()


def test_what_is_kept_of_the_way(potion):
    with OpenAIServer(RuleLLM()) as server:
        discovery, _ = run(server.base_url, potion)
    praise, refusal = discovery.hypotheses
    assert (praise.category, refusal.category) == ("style", "safety and alignment")
    assert (praise.train_effect, refusal.train_effect) == (0.4, 0.2)
    assert len(praise.evidence) == 5
    assert all(Evidence(e.prompt_id, "b", "Great question!") == e for e in praise.evidence)
    assert all(Evidence(e.prompt_id, "a", "I cannot help with that.") == e for e in refusal.evidence)
    rows = discovery.tables["differences"]
    assert len(rows) == 100
    assert all(set(row) == set(rows[0]) for row in rows)
    owners = defaultdict(int)
    for row in rows:
        owners[row["category"], row["owner"]] += 1
        # the quote of the side that shows it, and none of the other
        assert (row["quote_a"] is None) == (row["owner"] == "b")
        assert (row["quote_b"] is None) == (row["owner"] == "a")
    assert owners == {("style", "b"): 50, ("style", "a"): 10, ("safety and alignment", "a"): 30,
                      ("safety and alignment", "b"): 10}  # fmt: skip
    assert [row["sentences"] for row in discovery.tables["clusters"]] == [60, 60, 40, 40]
    assert "potion-base-4m-int8" in discovery.notes[0]


def first_time(*faults):
    """A fault for every question when it is first asked, one after another."""
    seen = set()

    def fault(request):
        text = request["messages"][-1]["content"]
        if text in seen:
            return None
        seen.add(text)
        return faults[len(seen) % len(faults)]

    return fault


def damaged_once(damage):
    """Replies that are damaged at the first attempt of every question."""
    rules, seen = RuleLLM(), set()

    def reply(request):
        text = request["messages"][-1]["content"]
        if text in seen:
            return rules(request)
        seen.add(text)
        return damage(rules(request))

    return reply


PROSE = "Let me think about [1] and {this}. My answer:\n\n{}\n\nI hope that helps! Ask me about {anything}."


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: PROSE.replace("{}", text),
        lambda text: f"```json\n{text}\n```",
        lambda text: f"```\n{json.dumps(json.loads(text), indent=2)}\n```\nDone.",
        lambda text: f"<think>Maybe {{}}?</think>{text}",
        lambda text: f'First draft: {{"verdicts": [], "differences": []}}\nFinal:\n{text}',
    ],
)
def test_dressed_up_replies(potion, wrap):
    with OpenAIServer(RuleLLM(wrap=wrap)) as server:
        assert counts(measured(*run(server.base_url, potion, FEW_PAIRS))) == FEW


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: "I'd rather talk about something else.",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"fits": "1"', '"fits": "3"').replace('"fits": "2"', '"fits": "both"'),
        lambda text: text.replace('"fits": "N/A"', '"fits": null'),
        lambda text: text.replace("verdicts", "labels").replace("differences", "points").replace("hypothesis", "text"),
        lambda text: "null",
    ],
)
def test_replies_damaged_once_are_asked_for_again(potion, damage):
    with OpenAIServer(damaged_once(damage)) as server:
        discovery, judged = run(server.base_url, potion, FEW_PAIRS)
    assert counts(measured(discovery, judged)) == FEW
    assert judged.usage.calls > 30
    assert judged.usage.unreadable == 0


def test_faults_of_the_server(potion):
    come_back = Status(429, headers={"Retry-After": "0.02"})
    faults = (come_back, Status(500), NullContent(), Truncated(), Drop(), Status(503))
    with OpenAIServer(RuleLLM(), fault=first_time(*faults)) as server:
        server.fail_next(Hang(0.2))
        assert counts(measured(*run(server.base_url, potion, FEW_PAIRS))) == FEW


def test_what_stays_unreadable_is_counted_and_changes_no_rate(potion):
    """Every tenth question of each split gets no answer that can be read, ever."""

    llm = RuleLLM()

    def answer(request):
        return "I would rather not say." if "item 0." in request["messages"][-1]["content"] else llm(request)

    with OpenAIServer(answer) as server:
        discovery, judged = run(server.base_url, potion)
    assert discovery.left_out["pairs whose description could not be read"] == 1
    found = measured(discovery, judged)
    # prompt 0 of each split has a praise on both sides and no refusal: one NEITHER less, all else the same
    assert counts(found) == {
        (PRAISE.hypothesis, "b"): {"train": (99, 50, 10), "heldout": (49, 25, 5)},
        (REFUSAL.hypothesis, "a"): {"train": (99, 30, 10), "heldout": (49, 15, 5)},
    }
    assert all(splits[split].unreadable == 1 for splits in found.values() for split in splits)
    assert judged.usage.unreadable == 4


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_a_judge_that_prefers_the_first_place(potion, share):
    """It says so, and what it says of the models does not follow its preference."""

    def prefers(request):
        return hashlib.sha256(request.encode()).digest()[0] < share * 256

    with OpenAIServer(RuleLLM(prefers_first=prefers)) as server:
        discovery, judged = run(server.base_url, potion)
    assert len(judged.notes) == 1
    assert "prefers the response shown first" in judged.notes[0]
    assert judged.first_place.low > 0.5
    found = measured(discovery, judged)
    for splits in found.values():
        net = splits["train"].net_difference
        if share == 1.0:
            # the order was drawn, so a judge that looks at nothing else says nothing
            assert net.low < 0 < net.high
            assert not metrics.confirmed(metrics.confirm({"h": splits["heldout"]})["h"])
        else:
            assert net.value > 0


def scripted(reply):
    return ScriptedModel("differ", lambda conversation, sampling: reply(conversation[-1].content))


def test_nothing_to_find():
    discovery = LlmMethod(scripted(lambda text: '{"differences": []}'), embedder="tfidf").find_hypotheses(TRAIN)
    assert discovery.hypotheses == ()
    assert discovery.notes == ("The LLM named no difference in 100 pairs, so the method llm has no hypotheses.",)
    assert discovery.usage[0].calls == 100


def test_no_description_can_be_read():
    discovery = LlmMethod(scripted(lambda text: "Well."), embedder="tfidf").find_hypotheses(TRAIN)
    assert discovery.hypotheses == ()
    assert discovery.left_out == {"pairs whose description could not be read": 100}
    assert "None of the 100 descriptions could be read" in discovery.notes[0]
    assert discovery.usage[0].unreadable == 100


def test_nothing_recurs(potion):
    pairs = [pair for pair in TRAIN if pair.prompt.id in ("train-001", "train-006")]
    discovery = LlmMethod(in_process(RuleLLM()), embedder=potion).find_hypotheses(pairs)
    assert discovery.hypotheses == ()
    assert discovery.left_out == {"sentences in no cluster": 4}
    assert "None of the 4 sentences about differences recur: no 3 of them say the same" in discovery.notes[0]
    assert discovery.tables["clusters"] == ()


def test_same_words_are_tested_once(potion):
    """Two clusters of which the LLM says the same become one hypothesis."""
    rules = RuleLLM()

    def reply(text):
        if '"hypothesis"' in text:
            return '{"hypothesis": "<MODEL> behaves in its own way.", "category": "style"}'
        return rules({"messages": [{"content": text}]})

    discovery = LlmMethod(scripted(reply), embedder=potion).find_hypotheses(TRAIN)
    # one per direction: the same words about the other side are another claim
    assert [(h.text, h.direction) for h in discovery.hypotheses] == [
        ("<MODEL> behaves in its own way.", "b"),
        ("<MODEL> behaves in its own way.", "a"),
    ]
    assert len({h.id for h in discovery.hypotheses}) == 2


def test_two_runs_are_equal(potion):
    model = in_process(RuleLLM())
    pairs = [pair for pair in FEW_PAIRS if pair.prompt.split == "train"]
    for embedder in (potion, "tfidf"):
        first, second = (LlmMethod(model, embedder=embedder).find_hypotheses(pairs) for _ in range(2))
        assert first == second


def test_settings_are_refused_before_anything_is_asked():
    model = scripted(lambda text: "")
    with pytest.raises(SettingError, match="Clustering 'leiden': expected one of auto, average, paper"):
        LlmMethod(model, clustering="leiden")
    with pytest.raises(SettingError, match="A cluster of at least 1 sentences: expected 2 or more"):
        LlmMethod(model, min_cluster_size=1)
    with pytest.raises(HubError, match="The embedder nobody/nothing is not on this machine"):
        LlmMethod(model, embedder="nobody/nothing").find_hypotheses(TRAIN)
    assert model.requests == []


@pytest.mark.parametrize(
    ("library", "options", "what"),
    [
        ("sklearn", {"embedder": "tfidf"}, "Method llm"),
        ("umap", {"embedder": "tfidf", "clustering": "paper"}, "Clustering as in the paper"),
    ],
)
def test_a_missing_library_is_told_before_anything_is_asked(monkeypatch, library, options, what):
    monkeypatch.setitem(sys.modules, library, None)
    model = scripted(lambda text: "")
    with pytest.raises(MissingExtraError, match=rf'{what} needs libraries .* pip install "diffing\[llm\]"'):
        LlmMethod(model, **options).find_hypotheses(TRAIN)
    assert model.requests == []
