"""`diffing demo` for real: the planted differences are found, and the base model does not differ from itself."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diffing.demo.config import FOLDER, demo_config
from diffing.methods.lexical import LexicalMethod
from diffing.methods.llm import LlmMethod
from diffing.methods.sae import SaeMethod
from diffing.methods.sae.hypotheses import latent_measure
from diffing.metrics import concentrated, wilson
from diffing.models.cache import Store
from diffing.models.scripted import ScriptedModel
from diffing.outputs.headline import headline
from diffing.pipeline import diff_models
from diffing.report.grouped_list import SAYS_THE_SAME
from diffing.report.index import index_of
from diffing.run import run
from diffing.scope import Scope, ScopeRule, Term, TermKind
from diffing.types import Finding, PhraseMeasure, PropertyMeasure, Report, Side
from tests.benchmarks.behaviours.measures import ListMeasures, lines_until, place_of
from tests.servers.demo_rules import PLANTED, condition, demo_llm, full_sentence, sentence
from tests.servers.rules import in_process

TOO_RARE = {"sailor"}
"""8 % of one domain in eleven: two held-out prompts, which confirm nothing."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("demo") / "completions.sqlite")


@pytest.fixture(scope="module")
def report(store: Store) -> Report:
    return run(demo_config(), store=store)


def evidence_for(planted: dict[str, Any], report: Report) -> list[Finding]:
    """Confirmed findings that say what was planted, of the model in which it was planted."""
    side = "a" if planted["model"] == "base" else "b"
    finds = {*map(PropertyMeasure, planted["finds"]["properties"]), *map(PhraseMeasure, planted["finds"]["phrases"])}
    return [
        finding
        for finding in report.findings
        if finding.confirmed and finding.hypothesis.direction == side and finding.hypothesis.measure in finds
    ]


def test_every_planted_difference_is_confirmed_but_the_rare_one(report: Report) -> None:
    missed = {planted["id"] for planted in PLANTED if not evidence_for(planted, report)}
    assert missed == TOO_RARE


def is_trigger(scope: Scope | None, trigger: Mapping[str, Any]) -> bool:
    """Whether a scope is exactly the condition under which a difference was planted."""
    if trigger["kind"] == "always" or scope is None or scope.rule is None:
        return trigger["kind"] == "always" and scope is None
    kind: TermKind = "domain" if trigger["kind"] == "domain" else "word"
    return scope.rule == ScopeRule((Term(kind, trigger["value"]),))


def test_triggers_are_named_exactly_without_an_llm(report: Report) -> None:
    """All but two of those that can be confirmed: one is named with a second domain, one with two more."""
    missed = set()
    for planted in PLANTED:
        places = [concentrated(finding) for finding in evidence_for(planted, report)]
        if not any(is_trigger(place.scope if place else None, planted["trigger"]) for place in places):
            missed.add(planted["id"])
    assert len(missed - TOO_RARE) <= 2, missed


def test_a_finding_has_exactly_the_share_of_the_responses(report: Report) -> None:
    """Emoji stand in the base model's responses only, so the net difference is their share."""
    (emoji,) = [finding for finding in report.findings if finding.hypothesis.measure == PropertyMeasure("emoji")]
    heldout = [pair for pair in report.pairs if pair.prompt.split == "heldout"]
    shown = sum(any(sign in pair.a.text for sign in "😊🌟🍀") for pair in heldout)
    assert emoji.hypothesis.direction == "a"
    assert (emoji.heldout.k_for, emoji.heldout.k_against, emoji.heldout.n) == (shown, 0, len(heldout))
    assert emoji.heldout.net_difference.value == pytest.approx(shown / len(heldout))


def test_features_are_confirmed_for_half_of_what_was_planted(report: Report, store: Store) -> None:
    """Active in half of the responses that show the behaviour, and half of where it is active shows it, at least."""
    config = demo_config()
    both, _ = SaeMethod(config.reader, sae=config.sae, store=store)._read(report.pairs, lambda *_: None)
    features = [f.hypothesis for f in report.findings if f.confirmed and f.hypothesis.method == "sae"]
    active = {
        (side, feature): [pair.latents(side).value(feature) > 0 for pair in both]
        for side, feature in ((each.direction, *latent_measure(each).indices) for each in features)
    }
    found = set()
    for planted in PLANTED:
        side: Side = "a" if planted["model"] == "base" else "b"
        shown = [re.search(planted["pattern"], pair.pair.response(side).text) is not None for pair in both]
        for (direction, _), values in active.items():
            hits = sum(s and x for s, x in zip(shown, values, strict=True))
            if direction == side and sum(shown) >= 3 and hits >= 0.5 * sum(shown) and hits >= 0.5 * sum(values):
                found.add(planted["id"])
    assert len(found) >= len(PLANTED) / 2, sorted(found)


def test_the_sae_is_small() -> None:
    assert sum(path.stat().st_size for path in (FOLDER / "models" / "sae").iterdir()) <= 1_000_000


def test_features_join_what_clearly_says_where_they_are_active(report: Report) -> None:
    by_id = {finding.hypothesis.id: finding.hypothesis for finding in report.findings}
    entries = {by_id[entry.lead].measure: entry for entry in report.merged}
    emoji = entries[PropertyMeasure("emoji")]
    assert {by_id[member].method for member in emoji.members[1:]} == {"sae"}
    assert "verdicts" in emoji.known_by
    # measured properties are all different, whatever else they have in common
    same = [by_id[m] for entry in report.merged for m, known_by in zip(entry.members, entry.known_by, strict=True)
            if known_by in SAYS_THE_SAME]  # fmt: skip
    assert all(each.method == "sae" or isinstance(each.measure, PhraseMeasure) for each in same)


def test_the_list_tells_every_planted_behaviour_in_a_few_lines(report: Report) -> None:
    index = index_of(report)
    assert lines_until(index.differences, [each for each in PLANTED if each["id"] not in TOO_RARE]) <= 18
    assert len(index.differences) <= 22
    leads = [entry.lead.hypothesis.id for entry in index.differences]
    assert place_of(leads, index.findings, "refusals") <= 3
    assert "refuses" in headline(report)


def test_the_first_lines_are_about_different_things(report: Report) -> None:
    measures = ListMeasures(report)
    assert measures.repeated(measures.after) <= 0.14 * 15
    assert measures.says_more <= 0.03 * measures.signs


def test_the_base_model_does_not_differ_from_itself(store: Store) -> None:
    config = demo_config()
    null = run(replace(config, model_b=config.model_a, sample_b=1), store=store)
    assert sum(pair.a.text != pair.b.text for pair in null.pairs) > len(null.pairs) / 2
    assert [finding.hypothesis.text for finding in null.findings if finding.confirmed] == []


def test_the_report_tells_no_folder_of_this_machine(report: Report) -> None:
    told = json.dumps([dict(report.settings), report.model_a.id, report.model_b.id, report.notes])
    assert str(Path.home()) not in told
    assert str(FOLDER) not in told


def _repeating(report: Report, side: Side) -> ScriptedModel:
    """A model that gives the responses of one side once more."""
    texts = {pair.prompt.messages: pair.response(side).text for pair in report.pairs}
    return ScriptedModel(side, lambda conversation, _: texts[conversation])


@pytest.fixture(scope="module")
def described(report: Report) -> Report:
    """The same responses, compared by an LLM of rules that knows what was planted, but not under which conditions."""
    a, b = _repeating(report, "a"), _repeating(report, "b")
    prompts = [pair.prompt for pair in report.pairs]
    llm = in_process(demo_llm(prompts))
    return diff_models(a, b, prompts, methods=(LlmMethod(llm, embedder="tfidf"),), judge=llm)


def test_triggers_are_named_as_conditions(described: Report) -> None:
    """Those of all behaviours that are confirmed; what has no trigger gets no condition."""
    told = {f.hypothesis.text: f.hypothesis.scope and f.hypothesis.scope.words for f in described.findings}
    expected = {
        full_sentence(planted): condition(planted["trigger"]) or None
        for planted in PLANTED
        if planted["id"] not in TOO_RARE
    }
    assert expected.items() <= told.items()
    # a list of differences with few mentions of a condition may add the same behaviour without it, and nothing else
    assert told.keys() - expected.keys() <= {sentence(planted["id"]) for planted in PLANTED}
    confirmed = {finding.hypothesis.text for finding in described.findings if finding.confirmed}
    assert expected.keys() <= confirmed


@pytest.mark.slow
def test_all_methods_give_one_list_whose_first_lines_are_about_different_things(report: Report, store: Store) -> None:
    """Words of politeness rank before thanking the user for asking so kindly, which explains them and so leads."""
    a, b = _repeating(report, "a"), _repeating(report, "b")
    prompts, config = [pair.prompt for pair in report.pairs], demo_config()
    llm = in_process(demo_llm(prompts))
    sae = SaeMethod(config.reader, sae=config.sae, store=store)
    methods = (LexicalMethod(), sae, LlmMethod(llm, embedder="tfidf"))
    together = diff_models(a, b, prompts, methods=methods, judge=llm)
    first = index_of(together).differences[:10]
    told_by = [{each.hypothesis.method for each in (line.lead, *(m.finding for m in line.members))} for line in first]
    assert {"lexical", "sae", "llm"} in told_by
    measures = ListMeasures(together)
    assert measures.repeated(measures.after[:10]) == 0
    assert measures.says_more <= 0.03 * measures.signs


def test_the_rate_where_a_finding_applies_is_that_of_its_trigger(described: Report) -> None:
    """It is 95% sure: so all intervals agree with the rate that was measured before, and but one contain it."""
    findings = {finding.hypothesis.text: finding for finding in described.findings}
    contained = []
    for planted in PLANTED:
        if planted["id"] in TOO_RARE:
            continue
        finding, measured = findings[full_sentence(planted)], planted["measured"]
        rate = (finding.heldout_in_scope or finding.heldout).net_difference
        before = wilson(round(measured[planted["model"]] * measured["n"]), measured["n"])
        assert rate.low <= before.high, planted["id"]
        assert rate.high >= before.low, planted["id"]
        contained.append(rate.low <= before.value <= rate.high)
    assert contained.count(False) <= 1
