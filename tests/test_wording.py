"""No output reads the wording of a finding: if all words of the findings are replaced, nothing else changes."""

import codecs
import re
from dataclasses import replace
from functools import cache
from itertools import cycle

from diffing.outputs.card.section import section
from diffing.outputs.dataset.dataset_push import dataset_files
from diffing.outputs.html import render
from diffing.types import Hypothesis, LatentMeasure, Measure, PhraseMeasure, PropertyMeasure
from tests.outputs.samples import MODEL_B, medium_report

KINDS: tuple[tuple[str, Measure | None, str], ...] = (
    ("llm", None, "<MODEL> opens with praise for the question, unlike <OTHER MODEL>."),
    ("lexical", PropertyMeasure("praise"), "<MODEL> opens with praise for the user's question or idea more often"),
    ("lexical", PhraseMeasure("great question"), "<MODEL> uses the phrase «great question» more often"),
    ("sae", LatentMeasure((3,)), '<MODEL>\'s responses activate feature 3 (strongest at "great") more often.'),
    ("sae", LatentMeasure((4, 5), in_words=True), "<MODEL> praises the user's questions."),
)
"""What each method says of its findings."""
_PLACEHOLDER = re.compile("(<(?:OTHER )?MODEL>)")
_HASH = re.compile("sha256=[0-9a-f]{16}")
_ALIKE = str.maketrans("nopqrstuvwxyzNOPQRSTUVWXYZ", "abcdefghijklmABCDEFGHIJKLM")
"""Makes every letter equal to the one by which `in_other_words` replaces it."""


def in_other_words(text: str) -> str:
    """A text of the same length and punctuation, in which no word is left but the placeholders of the models."""
    parts = _PLACEHOLDER.split(text)
    return "".join(part if _PLACEHOLDER.fullmatch(part) else codecs.encode(part, "rot13") for part in parts)


@cache
def written(reworded: bool) -> tuple[str, str, str]:
    """The page, the section of a model's card and the dataset's card of a report with findings of all kinds."""
    report = medium_report(train=4, heldout=40)
    kinds = cycle(KINDS)

    def of_next_kind(hypothesis: Hypothesis) -> Hypothesis:
        method, measure, text = next(kinds)
        text = in_other_words(text) if reworded else text
        return replace(hypothesis, method=method, measure=measure, text=text)

    findings = tuple(replace(each, hypothesis=of_next_kind(each.hypothesis)) for each in report.findings)
    report = replace(report, findings=findings)
    assert len(findings) > len(KINDS)
    readme = dataset_files(report, "lab/diff")["README.md"].decode()
    return render(report), section(report, of=MODEL_B.split("@")[0], dataset="lab/diff"), readme


def test_no_output_reads_the_wording_of_findings() -> None:
    for plain, reworded in zip(written(False), written(True), strict=True):
        assert "opens with praise for the" in plain
        assert "opens with praise for the" not in reworded
        plain, reworded = (_HASH.sub("", each).translate(_ALIKE) for each in (plain, reworded))
        assert plain == reworded
