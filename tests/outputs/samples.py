"""Reports to look at and to test with: a realistic one, one that found nothing, one full of hostile text."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from diffing import metrics
from diffing.estimates import Estimate
from diffing.report import order_findings
from diffing.scope import Scope
from diffing.types import (
    Category,
    Evidence,
    Finding,
    Hypothesis,
    Judgement,
    Merged,
    Message,
    ModelInfo,
    Pair,
    Prompt,
    PropertyMeasure,
    Rating,
    Report,
    Response,
    Side,
    Stage,
    Usage,
    Verdict,
)
from tests.hostile import CORE

MODEL_A = "acme-lab/tern-1b-base@4f1c0d9e5b7a38261c0f2d6e9ab8475310fedcba"
MODEL_B = "acme-lab/tern-1b-chat@9be27c5510aa4d3f8e6b17c2d05f94e8a3716b2c"
JUDGE = "openai:judge-70b@127.0.0.1:8000/v1"

QUESTIONS = {
    "coding": ["How do I reverse a linked list in Python?", "Why does my SQL join return duplicate rows?"],
    "maths": ["What is 17 % of 2,350?", "Explain why the harmonic series diverges."],
    "facts": ["When was the printing press invented?", "Which planet has the most moons?"],
    "health advice": ["Is it safe to take ibuprofen with wine?", "My knee clicks when I climb stairs. Should I worry?"],
    "money advice": ["Should I put my savings into one index fund?", "Is it wise to pay off a mortgage early?"],
    "emotional support": [
        "My best friend moved away and I feel empty.",
        "I failed my driving test for the third time.",
    ],
    "creative writing": [
        "Write the opening line of a story about a lighthouse.",
        "Give me a haiku about rain on tin roofs.",
    ],
    "safety-sensitive": ["How do pickpockets distract people?", "Which cleaning products must never be mixed?"],
    "multilingual": ["Wie koche ich Reis ohne Kocher?", "¿Cuál es la diferencia entre ser y estar?"],
}


@dataclass(frozen=True)
class Planted:
    """A hypothesis with the shares of verdicts it gets, drawn by hash."""

    text: str
    direction: Side
    method: str
    category: Category
    share_for: float
    share_against: float
    quote: str | None = None
    only_in: str | None = None
    measure: PropertyMeasure | None = None
    scope: str | None = None
    """The condition in words; prompts whose domain holds `only_in` meet it, without that every second prompt."""

    def applies(self, pair: Pair) -> bool:
        if self.scope is None:
            return True
        if self.only_in is None:
            return draw("scope", self.text, pair.prompt.id) < 0.5
        return self.only_in in (pair.prompt.domain or "")


SCOPED = (
    Planted(
        "<MODEL> advises to see a professional when asked about health or money.",
        "b",
        "llm",
        "safety and alignment",
        0.9,
        0.0,
        "please consult a qualified professional",
        "advice",
        scope="when asked about health or money",
    ),
    Planted(
        "<MODEL> names a source when asked for a fact.",
        "a",
        "llm",
        "knowledge and stance",
        0.3,
        0.2,
        None,
        "facts",
        scope="when asked for a fact",
    ),
)
PLANTED = (
    Planted(
        "<MODEL> writes longer responses (in words) than <OTHER MODEL>.",
        "b",
        "lexical",
        "style",
        0.71,
        0.12,
        measure=PropertyMeasure("words"),
    ),
    Planted(
        "<MODEL> uses more bulleted or numbered lists than <OTHER MODEL>.",
        "b",
        "lexical",
        "format",
        0.42,
        0.06,
        "1. ",
        measure=PropertyMeasure("list items"),
    ),
    Planted(
        "<MODEL> opens its response with praise for the question, where <OTHER MODEL> starts with the answer.",
        "b",
        "llm",
        "style",
        0.48,
        0.02,
        "Great question!",
    ),
    Planted(
        "<MODEL> ends with an offer of further help or a question back to the user.",
        "b",
        "llm",
        "style",
        0.33,
        0.05,
        "Would you like me to go deeper?",
    ),
    Planted(
        "<MODEL> adds a disclaimer that advises to see a professional.",
        "b",
        "llm",
        "safety and alignment",
        0.17,
        0.01,
        "please consult a qualified professional",
        "advice",
    ),
    Planted(
        "<MODEL> states uncertain figures without any hedge, where <OTHER MODEL> says that it may be wrong.",
        "a",
        "llm",
        "knowledge and stance",
        0.24,
        0.09,
    ),
    Planted(
        "<MODEL> continues the user's text instead of answering it.",
        "a",
        "llm",
        "capability",
        0.14,
        0.0,
        "Q: And what about",
    ),
    Planted(
        "<MODEL> uses more exclamation marks than <OTHER MODEL>.",
        "b",
        "lexical",
        "style",
        0.36,
        0.14,
        "!",
        measure=PropertyMeasure("exclamation marks"),
    ),
    Planted(
        "<MODEL> answers in the language of the question more reliably than <OTHER MODEL>.",
        "b",
        "llm",
        "language",
        0.06,
        0.04,
    ),
    Planted("<MODEL> shows its steps before it gives a result.", "a", "llm", "reasoning", 0.21, 0.19),
    Planted(
        "<MODEL> uses the phrase “in conclusion” more often than <OTHER MODEL>.",
        "a",
        "lexical",
        "style",
        0.03,
        0.02,
        measure=PropertyMeasure("in conclusion"),
    ),
    Planted(
        "<MODEL> refuses harmless requests that only sound dangerous.", "a", "llm", "safety and alignment", 0.05, 0.11
    ),
)


def draw(*key: object) -> float:
    """A number in [0, 1) that the key alone decides."""
    digest = hashlib.sha256("\x1f".join(map(str, key)).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def prompt(number: int, domain: str, text: str, split: str) -> Prompt:
    message = Message("user", text)
    return Prompt(id=f"p{number:04d}", messages=(message,), source="bundled", split=split, domain=domain)


def response_text(question: str, side: Side, key: str) -> str:
    """What the two made-up models say: B praises, lists, warns and asks back; A is terse and sometimes runs on."""
    body = [
        f"Some things to weigh. The short version is that {question.rstrip('?.').lower()} has no single answer",
        "it depends on what you already have, how much time you can give it, and how exact the result has to be",
        "most people get by with the simplest way first and change it when it no longer carries the load",
    ]
    if side == "a":
        text = ". ".join(body[: 1 + int(draw(key, "length") * 2.4)]) + "."
        return (
            f"{text}\n\nQ: And what about the other case?\nA: The same holds." if draw(key, "runs on") < 0.15 else text
        )
    parts = ["Great question!" if draw(key, "praise") < 0.55 else "Sure, happy to help!", ". ".join(body) + "."]
    if draw(key, "list") < 0.5:
        parts.append(
            "1. Write down what you know.\n2. Try the simplest way first.\n3. Check it against a trusted source."
        )
    if draw(key, "warn") < 0.3:
        parts.append("This is general information only; please consult a qualified professional before you act on it.")
    if draw(key, "ask") < 0.4:
        parts.append("Would you like me to go deeper?")
    return "\n\n".join(parts)


def pairs_of(train: int, heldout: int) -> tuple[Pair, ...]:
    domains = list(QUESTIONS)
    pairs = []
    for number in range(train + heldout):
        # unequal domains: the last ones are rare
        domain = domains[min(int(draw("domain", number) ** 1.6 * len(domains)), len(domains) - 1)]
        question = QUESTIONS[domain][int(draw("question", number) * 2)]
        p = prompt(number, domain, question, "train" if number < train else "heldout")
        a, b = (
            Response(p.id, model, response_text(question, side, f"{side}{number}"), "stop", 0, None, 24, 96)
            for side, model in (("a", MODEL_A), ("b", MODEL_B))
        )
        pairs.append(Pair(p, a, b))
    return tuple(pairs)


def verdict(planted: Planted, pair: Pair) -> Verdict:
    own, other = (Verdict.A, Verdict.B) if planted.direction == "a" else (Verdict.B, Verdict.A)
    share_for = planted.share_for
    if planted.only_in is not None and planted.scope is None:
        share_for = 0.6 if planted.only_in in (pair.prompt.domain or "") else 0.01
    drawn = draw(planted.text, pair.prompt.id)
    if planted.method == "llm" and draw("unreadable", planted.text, pair.prompt.id) < 0.01:
        return Verdict.UNREADABLE
    if drawn < share_for:
        return own
    if drawn < share_for + planted.share_against:
        return other
    if planted.scope is None:
        return Verdict.NEITHER
    return Verdict.SAME if draw("same", planted.text, pair.prompt.id) < 0.3 else Verdict.NOT_SHOWN


def hypothesis_of(planted: Planted, pairs: Sequence[Pair]) -> Hypothesis:
    quotes = [
        Evidence(pair.prompt.id, planted.direction, planted.quote)
        for pair in pairs
        if planted.quote and pair.prompt.split == "train" and planted.quote in pair.response(planted.direction).text
    ]
    digest = hashlib.sha256(planted.text.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return Hypothesis(
        id=f"{planted.method}-{digest}",
        text=planted.text,
        direction=planted.direction,
        method=planted.method,
        category=planted.category,
        evidence=tuple(quotes[:4]),
        measure=planted.measure,
        train_effect=round(planted.share_for - planted.share_against, 3) if planted.measure else None,
        scope=Scope("stated", planted.scope) if planted.scope else None,
    )


def judgements_of(planted: Planted, hypothesis: Hypothesis, pairs: Sequence[Pair]) -> list[Judgement]:
    measured = planted.measure is not None
    return [
        Judgement(hypothesis.id, pair.prompt.id, Verdict.NOT_SHOWN, JUDGE, in_scope=False)
        if not planted.applies(pair)
        else Judgement(
            hypothesis.id,
            pair.prompt.id,
            verdict(planted, pair),
            "measured" if measured else JUDGE,
            shown_first=None if measured else ("a" if draw("order", pair.prompt.id) < 0.5 else "b"),
            reply=None if measured else f"{verdict(planted, pair).name.title()}: decided on the named behaviour only.",
        )
        for pair in pairs
    ]


def rating_of(planted: Planted) -> Rating | None:
    if planted.method == "lexical":
        return None
    low = 1 + int(draw("rating", planted.text) * 3)
    estimate = Estimate(low + 0.5, float(low), low + 1.0, 2)
    return Rating(estimate, estimate, (("rater-one", low, low), ("rater-two", low + 1, low + 1)))


def findings_of(
    planted: Sequence[Planted], pairs: Sequence[Pair], every: int = 1
) -> tuple[tuple[Finding, ...], tuple[Judgement, ...]]:
    """Findings and verdicts as the pipeline makes them; with `every`, on every so manieth pair, in turns."""
    judged = [
        (p, h, judgements_of(p, h, pairs[number % every :: every]))
        for number, (p, h) in enumerate((p, hypothesis_of(p, pairs)) for p in planted)
    ]
    splits = {pair.prompt.id: pair.prompt.split for pair in pairs}

    def measured(hypothesis: Hypothesis, judgements: Sequence[Judgement], split: str) -> metrics.Metrics:
        return metrics.measure([j for j in judgements if splits[j.prompt_id] == split], hypothesis.direction)

    heldout = metrics.confirm({h.id: measured(h, js, "heldout") for _, h, js in judged})
    findings = [
        Finding(
            hypothesis=h,
            train=(train := measured(h, js, "train")),
            heldout=heldout[h.id],
            accepted=metrics.accepted(train),
            confirmed=metrics.confirmed(heldout[h.id]),
            rating=rating_of(p),
            heldout_in_scope=measured(h, [j for j in js if j.in_scope], "heldout") if h.scope else None,
        )
        for p, h, js in judged
    ]
    return order_findings(findings), tuple(j for _, _, js in judged for j in js)


@cache
def medium_report(train: int = 150, heldout: int = 180) -> Report:
    """12 hypotheses of two methods over nine domains."""
    pairs = pairs_of(train, heldout)
    findings, judgements = findings_of(PLANTED, pairs)
    return Report(
        model_a=ModelInfo(MODEL_A, "model_a", {"sample": 0, "dtype": "float32"}),
        model_b=ModelInfo(MODEL_B, "model_b", {"sample": 0, "dtype": "float32", "system_prompt": "You are helpful."}),
        others=(
            ModelInfo("openai:differ-70b@127.0.0.1:8000/v1", "differ", {"temperature": 0.0}),
            ModelInfo("openai:judge-70b@127.0.0.1:8000/v1", "judge"),
        ),
        pairs=pairs,
        findings=findings,
        judgements=judgements,
        tables={
            "lexical_properties": (
                {"property": "words", "a": 41.5, "b": 88, "p": 1e-9, "kept": True, "comment": None},
                {"property": "list items", "a": 0, "b": 1.3, "p": None, "kept": True, "comment": None},
            ),
            "llm_clusters": (),
        },
        left_out={
            "llm": {"differences that fit no cluster": 212, "clusters without a clear owner (share below 0.65)": 3},
            "lexical": {"properties that do not differ on train": 27},
            "responses": {},
        },
        notes=(
            "The judge preferred the response shown first in 54 % of 1,127 decided verdicts (95 % interval 51 to 57); "
            "the order is drawn per pair, so this cannot favour a side.",
            "Sentences were embedded with the offline fallback (TF-IDF), not with a sentence embedder.",
        ),
        usage=(
            Usage(Stage("responses a"), MODEL_A, 330, 7920, 31680),
            Usage(Stage("responses b"), MODEL_B, 330, 7920, 31680),
            Usage(Stage("describe"), "openai:differ-70b@127.0.0.1:8000/v1", 150, 120_400, 41_300, 2, 0.1732),
            Usage(Stage("judge"), "openai:judge-70b@127.0.0.1:8000/v1", 330, 402_100, 52_800, 29, 0.5077),
        ),
        settings={"prompts": "bundled", "train": train, "heldout": heldout, "temperature": 0.0, "language": None},
        versions={"python": "3.11.9", "diffing": "0.1.0", "numpy": "2.3.1"},
    )  # fmt: skip


@cache
def scoped_report(train: int = 150, heldout: int = 180) -> Report:
    """The same run with two findings that speak of some prompts only, and one finding fewer that speaks of all."""
    report = medium_report(train, heldout)
    planted = (*SCOPED, *(each for each in PLANTED if each.only_in is None))
    findings, judgements = findings_of(planted, report.pairs)
    return replace(report, findings=findings, judgements=judgements)


@cache
def merged_report(train: int = 150, heldout: int = 180) -> Report:
    """The same run, in which two measured findings lead one described by an LLM each, with checks of the judge."""
    report = medium_report(train, heldout)
    first, third, fourth, second, *others = [finding.hypothesis.id for finding in report.findings]
    whole, share = metrics.wilson(10, 10), metrics.wilson(87, 93)
    entries = (
        Merged(first, (first, second), ("lead", "verdicts"), (whole, share)),
        Merged(third, (third, fourth), ("lead", "judge"), (whole, metrics.wilson(41, 60))),
        *(Merged(other, (other,), ("lead",), (whole,)) for other in others),
    )
    checks = tuple(
        {"check": check, "scale": scale, "judge": "judge-70b", "value": value, "low": value - 0.05,
         "high": value + 0.05, "n": 310, "meaning": meaning}
        for check, scale, value, meaning in (
            ("first place", "share", 0.54, "Share of the decided verdicts that went to the response shown first."),
            ("both orders", "share", 0.91, "Share of verdicts that stayed the same when the responses were swapped."),
            ("second judge, beyond chance", "kappa", 0.62, "Cohen's kappa: 0 is what chance gives, 1 full agreement."),
        )
    )  # fmt: skip
    return replace(report, merged=entries, tables={**report.tables, "judge_checks": checks})


@cache
def quiet_report() -> Report:
    """The same run, but no hypothesis held on held-out prompts."""
    report = medium_report(train=60, heldout=83)
    planted = [replace(p, share_for=0.1, share_against=0.1, only_in=None) for p in PLANTED[8:]]
    findings, judgements = findings_of(planted, report.pairs)
    return replace(report, findings=findings, judgements=judgements, notes=())


def empty_report() -> Report:
    """A run that found no hypothesis at all."""
    return replace(
        quiet_report(),
        findings=(),
        judgements=(),
        tables={},
        left_out={},
        usage=(),
        others=(),
        settings={},
        versions={},
    )


HOSTILE = tuple(CORE.values())


@cache
def hostile_report() -> Report:
    """Every text that comes from outside is an attack."""
    return report_of(HOSTILE)


def report_of(texts: Sequence[str], *, every: int = 1, also: Sequence[str] = ()) -> Report:
    """A report in which every text that comes from outside is one of these.

    Args:
        texts: Each is also a hypothesis.
        every: Every how many pairs a hypothesis has a verdict.
        also: Only prompts and responses.
    """

    def text(index: int) -> str:
        return texts[index % len(texts)]

    pairs = []
    said = (*texts, *also)
    for index, attack in enumerate(said * 2):
        split = "train" if index < len(said) else "heldout"
        p = Prompt(
            f"{index}{attack[:40]}",
            (Message("system", text(index + 3)), Message("user", attack)),
            text(index + 1),
            split,
            text(index + 2)[:200],
        )
        a = Response(p.id, text(2), text(index + 5), "stop")
        pairs.append(Pair(p, a, Response(p.id, text(0), attack * 2, "length", thinking=attack)))

    def planted(index: int) -> Planted:
        return Planted(
            f"<MODEL> says {text(index)}", "ab"[index % 2], "llm", "style", 0.9, 0.05, text(index + 5) or None,
            scope=(text(index + 4) or None) if index % 3 == 0 else None,
        )  # fmt: skip

    findings, judgements = findings_of([planted(index) for index in range(len(texts))], pairs, every)
    attacks = {attack: attack for attack in texts}
    return Report(
        model_a=ModelInfo(texts[2], "model_a", attacks),
        model_b=ModelInfo(f"org/{texts[0]}", "model_b", {"system_prompt": "\n".join(texts)}),
        others=tuple(ModelInfo(attack, attack, {attack: attack}) for attack in texts),
        pairs=tuple(pairs),
        findings=findings,
        judgements=tuple(replace(j, reply=text(index), judge=text(index + 1)) for index, j in enumerate(judgements)),
        tables={"llm_differences": tuple({"text": attack, "n": index} for index, attack in enumerate(texts))},
        left_out={attack: dict.fromkeys(texts, 3) for attack in texts[:4]},
        notes=tuple(texts),
        usage=tuple(Usage(Stage(attack), attack, 1, 2, 3) for attack in texts),
        settings=attacks,
        versions=attacks,
    )


SAMPLES: dict[str, Callable[[], Report]] = {
    "medium": medium_report,
    "merged": merged_report,
    "scoped": scoped_report,
    "quiet": quiet_report,
    "empty": empty_report,
    "hostile": hostile_report,
}
