"""Planted differences are found and confirmed with exactly their strength, over real HTTP, whatever goes wrong."""

import hashlib
import json
import re
import sys
from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from diffing import metrics
from diffing.errors import HubError, MissingExtraError, SettingError
from diffing.judge import judge
from diffing.methods.llm import LlmMethod
from diffing.models.openai_compatible import OpenAIModel
from diffing.models.scripted import ScriptedModel
from diffing.pipeline import diff_models
from diffing.scope import Scope
from diffing.types import Evidence, Message
from tests.servers.openai_server import Drop, Hang, NullContent, OpenAIServer, Status, Truncated
from tests.servers.rules import PRAISE, REFUSAL, RuleLLM, in_process, planted_pairs, read
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
    """Find hypotheses with their verdicts on train, and judge held-out, as the pipeline does."""
    model = OpenAIModel("rules", url, timeout=DEADLINE, concurrency=16)
    method = LlmMethod(model, embedder=embedder, **options)
    discovery = method.find_hypotheses([pair for pair in pairs if pair.prompt.split == "train"])
    heldout = pairs if options.get("clustering") == "paper" else [p for p in pairs if p.prompt.split == "heldout"]
    return discovery, judge(model, discovery.hypotheses, heldout)


def measured(discovery, judged):
    found = {}
    for hypothesis in discovery.hypotheses:
        for split in ("train", "heldout"):
            mine = [
                judgement
                for judgement in (*discovery.judgements, *judged.judgements)
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
        assert server.count == 20 + 1 + 1 + 1 + 50 == sum(u.calls for u in (*discovery.usage, judged.usage))
    assert [usage.stage for usage in discovery.usage] == ["describe", "propose", "join", "sharpen"]
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
    assert discovery.left_out == {}
    assert judged.notes == ()


@pytest.mark.parametrize("way", ["average", pytest.param("signed", marks=pytest.mark.slow)])
def test_planted_truth_by_clusters(potion, way):
    with OpenAIServer(RuleLLM()) as server:
        discovery, judged = run(server.base_url, potion, clustering=way)
    assert counts(measured(discovery, judged)) == EXPECTED
    assert [usage.stage for usage in discovery.usage] == ["describe", "state", "join", "sharpen"]
    assert sum(row["differences"] for row in discovery.tables["clusters"]) == 100


@pytest.mark.slow  # UMAP's compilation
def test_planted_truth_as_published(potion):
    """Both halves are clustered and stated, one pair is described per question, and the judge decides on train too."""
    with OpenAIServer(RuleLLM()) as server:
        discovery, judged = run(server.base_url, potion, clustering="paper")
        assert (discovery.usage[0].stage, discovery.usage[0].calls) == ("describe", 100)
    found = counts(measured(discovery, judged))
    assert {key: found.get(key) for key in EXPECTED} == EXPECTED
    assert discovery.judgements == ()
    assert len(discovery.tables["sentences"]) == 200
    assert len(discovery.tables["differences"]) == 100
    assert {row["half"] for row in discovery.tables["sentences"]} == {"has", "lacks"}


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
    assert all(row["hypothesis_id"] == (praise if row["category"] == "style" else refusal).id for row in rows)
    assert discovery.tables["hypotheses"] == (
        {
            "hypothesis": PRAISE.hypothesis,
            "condition": "",
            "direction": "b",
            "outcome": "tested",
            "before": None,
            "hypothesis_id": praise.id,
            "pairs_for": 50,
            "pairs_against": 10,
        },
        {
            "hypothesis": REFUSAL.hypothesis,
            "condition": "",
            "direction": "a",
            "outcome": "tested",
            "before": None,
            "hypothesis_id": refusal.id,
            "pairs_for": 30,
            "pairs_against": 10,
        },
    )
    assert discovery.notes == (
        "The LLM described 100 differences on 90 of 100 train pairs, which gave 2 hypotheses (propose, "
        "potion-base-4m-int8).",
    )
    assert len(discovery.judgements) == 200
    assert {judgement.judge for judgement in discovery.judgements} == {"described"}


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
        lambda text: f'First draft: {{"verdicts": [], "pairs": []}}\nFinal:\n{text}',
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
        lambda text: text.replace('"fits": "NOT SHOWN"', '"fits": null'),
        lambda text: text.replace("verdicts", "labels").replace("pairs", "points").replace("hypotheses", "texts"),
        lambda text: "null",
    ],
)
def test_replies_damaged_once_are_asked_for_again(potion, damage):
    with OpenAIServer(damaged_once(damage)) as server:
        discovery, judged = run(server.base_url, potion, FEW_PAIRS)
    assert counts(measured(discovery, judged)) == FEW
    assert judged.usage.calls + sum(usage.calls for usage in discovery.usage) > 17
    assert sum(usage.unreadable for usage in (judged.usage, *discovery.usage)) == 0


def test_faults_of_the_server(potion):
    come_back = Status(429, headers={"Retry-After": "0.02"})
    faults = (come_back, Status(500), NullContent(), Truncated(), Drop(), Status(503))
    with OpenAIServer(RuleLLM(), fault=first_time(*faults)) as server:
        server.fail_next(Hang(0.2))
        assert counts(measured(*run(server.base_url, potion, FEW_PAIRS))) == FEW


def test_what_stays_unreadable_is_counted_and_changes_no_rate(potion):
    """The description of one pair and the verdicts on another are never answered so that they can be read."""
    llm = RuleLLM()

    def answer(request):
        text = request["messages"][-1]["content"]
        reply = llm(request)
        if "item 0." not in text:
            return reply
        return reply.replace('"pair": 1,', '"pair": 9,') if '"pairs"' in reply else "I would rather not say."

    with OpenAIServer(answer) as server:
        discovery, judged = run(server.base_url, potion)
    assert discovery.left_out["pairs whose description could not be read"] == 1
    found = measured(discovery, judged)
    # prompt 0 of each split has a praise on both sides and no refusal: one pair less, all else the same
    assert counts(found) == {
        (PRAISE.hypothesis, "b"): {"train": (99, 50, 10), "heldout": (49, 25, 5)},
        (REFUSAL.hypothesis, "a"): {"train": (99, 30, 10), "heldout": (49, 15, 5)},
    }
    assert all(splits[split].unreadable == 1 for splits in found.values() for split in splits)
    assert judged.usage.unreadable == 2


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
        net = splits["heldout"].net_difference
        if share == 1.0:
            # the order was drawn, so a judge that looks at nothing else says nothing
            assert net.low < 0 < net.high
            assert not metrics.confirmed(metrics.confirm({"h": splits["heldout"]})["h"])
        else:
            assert net.value > 0


def scripted(reply):
    return ScriptedModel("differ", lambda conversation, sampling: reply(conversation[-1].content))


def test_nothing_to_find():
    def nothing(text):
        return json.dumps({"pairs": [{"pair": i, "differences": []} for i in range(1, 6)]})

    discovery = LlmMethod(scripted(nothing), embedder="tfidf").find_hypotheses(TRAIN)
    assert discovery.hypotheses == ()
    assert discovery.notes == ("The LLM named no difference in 100 pairs, so the method llm has no hypotheses.",)
    assert discovery.usage[0].calls == 20


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
    assert discovery.left_out == {"differences that carry no tested hypothesis": 2}
    assert discovery.notes[0] == (
        "The LLM described 2 differences on 2 of 2 train pairs, but nothing that recurs on 2 or more of them. So the "
        "method llm has no hypotheses."
    )
    assert discovery.tables["hypotheses"] == ()


@pytest.mark.parametrize(("pairs", "least"), [(19, 2), (20, 3)])
def test_how_often_a_behaviour_must_recur_depends_on_the_size(pairs, least):
    few = planted_pairs(20, 0)[:pairs]
    shown = "Great question!"
    for times in (least - 1, least):
        plain = [replace(p, a=replace(p.a, text="x"), b=replace(p.b, text=shown if i < times else "x"))
                 for i, p in enumerate(few)]  # fmt: skip
        discovery = LlmMethod(in_process(RuleLLM()), embedder="tfidf").find_hypotheses(plain)
        assert [hypothesis.text for hypothesis in discovery.hypotheses] == [PRAISE.hypothesis] * (times == least)
        rare = (
            {}
            if times == least or least == 2
            else {f"hypotheses: shown on fewer than {least} prompts, or by both models as often": 1}
        )
        assert discovery.left_out.items() >= rare.items()


def test_a_difference_on_five_of_sixty_pairs_is_stated():
    pairs = [
        replace(p, a=replace(p.a, text="x"), b=replace(p.b, text="Great question!" if i % 12 == 0 else "x"))
        for i, p in enumerate(planted_pairs(60, 0))
    ]
    discovery = LlmMethod(in_process(RuleLLM()), embedder="tfidf").find_hypotheses(pairs)
    assert [(h.text, h.direction, h.train_effect) for h in discovery.hypotheses] == [(PRAISE.hypothesis, "b", 5 / 60)]


def test_ten_train_pairs_work_and_a_note_says_what_they_cannot_show():
    discovery = LlmMethod(in_process(RuleLLM()), embedder="tfidf").find_hypotheses(planted_pairs(10, 0))
    assert [h.text for h in discovery.hypotheses] == [PRAISE.hypothesis, REFUSAL.hypothesis]
    assert discovery.notes[1] == (
        "With only 10 train pairs, the method llm takes up what was described on 2 of them; rarer differences cannot "
        "be found. A hypothesis can be confirmed only by at least 5 held-out pairs that all decide for it, and by more "
        "if several hypotheses are tested."
    )


def test_a_condition_is_part_of_the_sentence_and_the_scope():
    traits = (replace(PRAISE, condition="when asked about items"), REFUSAL)
    discovery = LlmMethod(in_process(RuleLLM(traits=traits)), embedder="tfidf").find_hypotheses(TRAIN)
    praise, refusal = discovery.hypotheses
    assert praise.text == "<MODEL> opens with praise for the user's question, when asked about items."
    assert praise.scope == Scope("stated", "when asked about items")
    assert refusal.scope is None


def test_what_was_sharpened_is_told_with_what_it_was():
    rules = RuleLLM()

    def reply(text):
        if read(text).task != "sharpen":
            return rules({"messages": [{"content": text}]})
        numbers = re.findall(r"^(?:for|against) \| (\d+) ", read(text).blocks[0], re.MULTILINE)
        narrower = {"differences": numbers, "behaviour": "<MODEL> flatters.", "condition": ""}
        decisions = [("change", [narrower]), ("drop", [])]
        return json.dumps(
            {
                "hypotheses": [
                    {"hypothesis": i, "decision": decision, "becomes": becomes}
                    for i, (decision, becomes) in enumerate(decisions, start=1)
                ]
            }
        )

    discovery = LlmMethod(scripted(reply), embedder="tfidf").find_hypotheses(TRAIN)
    assert [(h.text, h.train_effect) for h in discovery.hypotheses] == [("<MODEL> flatters.", 0.4)]
    rows = [(row["hypothesis"], row["outcome"], row["before"]) for row in discovery.tables["hypotheses"]]
    assert rows == [
        ("<MODEL> flatters.", "tested", PRAISE.hypothesis),
        (REFUSAL.hypothesis, "dropped when sharpened", None),
    ]
    assert discovery.left_out["hypotheses: dropped when sharpened"] == 1
    assert "1 of them was reworded before testing" in discovery.notes[0]


def test_no_heldout_text_reaches_the_steps_that_make_hypotheses():
    """A server that looks for held-out text in what it is asked finds it in the judge's questions alone."""
    rules, peeked = RuleLLM(), Counter()
    pairs = [
        replace(p, b=replace(p.b, text=f"{p.b.text} HELDOUT")) if p.prompt.split == "heldout" else p
        for p in planted_pairs(60, 40)
    ]
    answers = {side: {p.prompt.id: p.response(side).text for p in pairs} for side in ("a", "b")}
    prompts = [replace(p.prompt, messages=(Message("user", p.prompt.id),)) for p in pairs]

    def peeking(text):
        task = read(text).task
        peeked[task] += "HELDOUT" in text or "heldout-" in text
        return rules({"messages": [{"content": text}]})

    models = [ScriptedModel(side, lambda c, _, side=side: answers[side][c[-1].content]) for side in ("a", "b")]
    llm = scripted(peeking)
    report = diff_models(*models, prompts, methods=[LlmMethod(llm, embedder="tfidf")], judge=llm)
    assert len(report.findings) == 2
    assert peeked["judge"] >= 40
    assert {task: peeked[task] for task in ("describe", "propose", "join", "sharpen")} == dict.fromkeys(
        ("describe", "propose", "join", "sharpen"), 0
    )


def test_two_runs_are_equal(potion):
    model = in_process(RuleLLM())
    pairs = [pair for pair in FEW_PAIRS if pair.prompt.split == "train"]
    for embedder in (potion, "tfidf"):
        first, second = (LlmMethod(model, embedder=embedder).find_hypotheses(pairs) for _ in range(2))
        assert first == second


def test_settings_are_refused_before_anything_is_asked():
    model = scripted(lambda text: "")
    with pytest.raises(SettingError, match="Clustering 'leiden': expected one of propose, average, signed, paper"):
        LlmMethod(model, clustering="leiden")
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
