"""What a run sends to an LLM's server, and that it finds what is planted whatever the server and its model are like."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diffing.config import DiffConfig
from diffing.models.cache import Store
from diffing.run import run
from diffing.types import Pair, Report
from tests.recordings import write_pairs
from tests.servers.openai_server import OpenAIServer, Status
from tests.servers.rules import PRAISE, REFUSAL, TEMPLATES, RuleLLM, Trait, planted_pairs, read
from tests.servers.tokens import SmallContext
from tests.servers.varied import VariedLLM

IN_SCOPE = re.compile(r"[6-9]\.$")
REFUSAL_IN_SCOPE = replace(REFUSAL, condition="when asked about an item that ends in 6, 7, 8 or 9", when=IN_SCOPE)
TRAITS = (PRAISE, REFUSAL_IN_SCOPE)
COMPLIMENT = Trait(
    PRAISE.mark, ("<MODEL> pays a compliment.",), ("<MODEL> is blunt.",), "<MODEL> pays a compliment.", "style"
)
"""Praise in other words, so that the two findings may be one."""
PAIRS = planted_pairs(80, 0)
KEY = re.compile(r'"([a-z_0-9]+)":')


def compared(server: OpenAIServer, folder: Path, pairs: list[Pair] = PAIRS, **changed: Any) -> Report:
    """A run on recorded responses with the LLM behind the server."""
    a, b = write_pairs(folder, pairs)
    config = DiffConfig(a, b, llm=f"openai:llm@{server.base_url}", method=("llm",), embedder="tfidf",
                        train=40, heldout=len(pairs) - 40, concurrency=8)  # fmt: skip
    return run(replace(config, **changed), store=Store(folder / "cache.sqlite"))


def assert_planted_truth(report: Report) -> None:
    """Each planted difference is confirmed, with the counts that the responses have."""
    assert len(report.findings) == len(TRAITS)
    found = {finding.hypothesis.text: finding for finding in report.findings}
    for trait, direction in ((PRAISE, "b"), (REFUSAL_IN_SCOPE, "a")):
        finding = found[trait.full]
        shown = [shown_by(trait, pair) for pair in report.pairs if pair.prompt.split == "heldout"]
        counts = (shown.count(direction), shown.count("b" if direction == "a" else "a"))
        assert finding.hypothesis.direction == direction
        assert finding.heldout is not None
        assert (finding.heldout.n, finding.heldout.k_for, finding.heldout.k_against) == (len(shown), *counts)
        assert finding.confirmed


def shown_by(trait: Trait, pair: Pair) -> str:
    """The side of a pair that alone shows a trait where it applies; empty if neither or both do."""
    if trait.when and not trait.when.search(pair.prompt.text):
        return ""
    a, b = (bool(trait.mark.search(response.text)) for response in (pair.a, pair.b))
    return "" if a == b else "a" if a else "b"


def by_template(requests: list[dict[str, Any]]) -> Mapping[str, list[dict[str, Any]]]:
    groups = defaultdict(list)
    for request in requests:
        groups[read(request["messages"][-1]["content"]).task].append(request)
    return groups


@pytest.fixture(scope="module", params=["propose", "average"])
def asked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, list[Any]]]:
    """The requests of a run by template."""
    with OpenAIServer(RuleLLM(traits=(*TRAITS, COMPLIMENT))) as server:
        compared(server, tmp_path_factory.mktemp("run"), clustering=request.param)
    groups = by_template(server.requests)
    found = {"propose": "propose", "average": "state"}[request.param]
    rest = ("join", "sharpen", "scope", "judge", "same_statements", "interestingness", "abstraction")
    assert sorted(groups) == sorted(("describe", found, *rest))
    return groups


def test_the_fixed_part_of_a_template_is_the_same_in_all_requests(asked: Mapping[str, list[Any]]) -> None:
    for name, requests in asked.items():
        (message,) = {len(request["messages"]) for request in requests}
        begun = {request["messages"][0]["content"].partition("# Question\n")[0].encode() for request in requests}
        written = (TEMPLATES / f"{name}.md").read_bytes().partition(b"# Question\n")[0]
        assert (message, begun) == (1, {written}), name
    assert len(asked["describe"]) == 8
    assert len(asked["judge"]) > 40


def test_schemas_name_the_keys_in_the_order_of_the_template(asked: Mapping[str, list[Any]]) -> None:
    for name, requests in asked.items():
        (schema,) = {str(request["response_format"]["json_schema"]["schema"]) for request in requests}
        fixed = requests[0]["messages"][0]["content"].partition("# Question\n")[0]
        example = next(part for part in fixed.split("\n\n") if part.lstrip("`json\n").startswith("{"))
        assert keys_of(requests[0]["response_format"]["json_schema"]["schema"]) == KEY.findall(example), (name, schema)


def keys_of(schema: Mapping[str, Any]) -> list[str]:
    """The keys of objects of a schema, in the order in which a reply has them."""
    if schema["type"] == "array":
        return keys_of(schema["items"])
    properties = schema.get("properties", {})
    assert list(properties) == schema.get("required", [])
    return [key for name, value in properties.items() for key in (name, *keys_of(value))]


def thinks_first(text: str) -> str:
    return f'<think>\nPerhaps {{"pairs": [], "verdicts": []}}? No: {text[:40]}\n</think>\n\n{text}'


def without_json_mode(request: dict[str, Any]) -> Status | None:
    return Status(400, "response_format is not supported by this model") if "response_format" in request else None


@pytest.mark.parametrize(
    ("wrap", "fault"),
    [(thinks_first, None), (lambda text: f"Here it is:\n```json\n{text}\n```", without_json_mode)],
    ids=["thinks first", "no JSON mode"],
)
def test_models_of_other_kinds_find_the_planted_truth(
    wrap: Callable[[str], str], fault: Callable[[Any], Status | None] | None, tmp_path: Path
) -> None:
    with OpenAIServer(RuleLLM(traits=TRAITS, wrap=wrap), fault=fault) as server:
        report = compared(server, tmp_path)
    assert_planted_truth(report)
    assert sum(usage.unreadable for usage in report.usage) == 0


def padded(pair: Pair, characters: int) -> Pair:
    """The pair with longer responses."""
    more = "\n" + "and so on " * (characters // 10)
    return replace(pair, a=replace(pair.a, text=pair.a.text + more), b=replace(pair.b, text=pair.b.text + more))


def test_a_small_context_leaves_out_only_pairs_that_are_too_long(tmp_path: Path) -> None:
    """Some pairs leave room for a short reply only, and some for none."""
    lengths = [20_000] * 4 + [10_000] * 4 + [1_000] * 72
    pairs = [padded(pair, length) for pair, length in zip(PAIRS, lengths, strict=True)]
    with OpenAIServer(SmallContext(RuleLLM(traits=TRAITS))) as server:
        report = compared(server, tmp_path, pairs, check_judge=0)
    too_long = {pair.prompt.id: pair.prompt.split for pair in report.pairs if len(pair.a.text) > 20_000}
    on = Counter(too_long.values())
    assert sorted(on) == ["heldout", "train"]
    assert {usage.stage: usage.unreadable for usage in report.usage if usage.unreadable} == {
        "describe": on["train"],
        "judge": on["heldout"],  # all these prompts are out of the scope of refusals
    }
    unread = {each.hypothesis.text: each.heldout.unreadable for each in report.findings if each.confirmed}
    assert unread == {PRAISE.full: on["heldout"], REFUSAL_IN_SCOPE.full: 0}


def test_long_lists_fit_a_small_context(tmp_path: Path, shared_data: Path) -> None:
    """Real responses with many differences: lists, hypotheses and pairs fill their questions."""
    sides = [f"recorded:{shared_data}/responses/pythia12b-{name}.sample0.jsonl" for name in ("sft-2.5k", "rlhf-2k")]
    llm = SmallContext(VariedLLM())
    with OpenAIServer(llm) as server:
        report = compared(server, tmp_path, model_a=sides[0], model_b=sides[1], train=60, heldout=40)
    longest = max(len(request["messages"][0]["content"]) for request in by_template(server.requests)["propose"])
    assert longest > 14_000
    assert sum(usage.unreadable for usage in report.usage) == 0
    assert llm.rejected == []
