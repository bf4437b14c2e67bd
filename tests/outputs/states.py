"""Reports whose pages are unlike others: one or 200 lines, long names, other scripts, no kinds, one side, and more."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from diffing.types import Message, ModelInfo, Pair, Report
from tests.outputs.samples import lines_report, medium_report

LONG_A = "some-organisation/DeepSeek-R1-Distill-Qwen-1.5B-GGUF-with-a-name-of-eighty-characters-Q4_K_M"
LONG_B = "another-organisation/Meta-Llama-3.1-8B-Instruct-abliterated-v2-lora-merged-and-more-of-it-bf16"
ASKED = "ما هي أفضل طريقة لتعلم لغة جديدة؟"
ANSWERED = {
    "a": "أفضل طريقة هي أن تتحدث كل يوم مع أشخاص يتقنون هذه اللغة.",
    "b": "毎日少しずつ話す練習をすることが一番の近道です。まずは短い文から始めましょう。",
}
"""One answer runs from right to left, one is written without spaces."""


def _many() -> Report:
    """Some 200 confirmed lines."""
    report = medium_report(60, 80)
    first = [each for each in report.findings if each.confirmed]
    more = [
        replace(each, hypothesis=replace(each.hypothesis, id=f"{each.hypothesis.id}-{number}"))
        for number in range(200 // len(first))
        for each in first
    ]
    left = [each for each in report.findings if not each.confirmed]
    return replace(report, findings=(*first, *more, *left), merged=())


def _long_names() -> Report:
    models = ModelInfo(f"{LONG_A}@{'a' * 40}", "model_a"), ModelInfo(f"{LONG_B}@{'b' * 40}", "model_b")
    return replace(lines_report(), model_a=models[0], model_b=models[1])


def _other_scripts() -> Report:
    def written(pair: Pair) -> Pair:
        prompt = replace(pair.prompt, messages=(Message("user", ASKED),))
        return replace(
            pair, prompt=prompt, a=replace(pair.a, text=ANSWERED["a"]), b=replace(pair.b, text=ANSWERED["b"])
        )

    report = lines_report()
    return replace(report, pairs=tuple(written(pair) for pair in report.pairs))


def _no_kinds() -> Report:
    report = medium_report()
    return replace(
        report, pairs=tuple(replace(pair, prompt=replace(pair.prompt, domain=None)) for pair in report.pairs)
    )


def _one_side() -> Report:
    report = medium_report()
    findings = tuple(
        replace(each, confirmed=each.confirmed and each.hypothesis.direction == "b") for each in report.findings
    )
    return replace(report, findings=findings)


def _single() -> Report:
    """One confirmed finding."""
    report = medium_report()
    first = next(each.hypothesis.id for each in report.findings if each.confirmed)
    findings = tuple(replace(each, confirmed=each.hypothesis.id == first) for each in report.findings)
    return replace(report, findings=findings)


def _ten_thousand() -> Report:
    """So many prompts."""
    return medium_report(6_000, 4_000)


STATES: Mapping[str, Callable[[], Report]] = {
    "many": _many,
    "long-names": _long_names,
    "other-scripts": _other_scripts,
    "no-kinds": _no_kinds,
    "one-side": _one_side,
    "single": _single,
    "ten-thousand": _ten_thousand,
    "llm": medium_report,
}
"""The states by name."""
