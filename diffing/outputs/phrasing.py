"""Puts a report into words: the explanation of its headline, the statements of findings, and formatted numbers.

All functions return plain text. It can contain text from models and users, so the caller must escape it for HTML,
Markdown or a terminal. The texts claim only differences that held-out prompts confirmed.
"""

import math
import re
from collections.abc import Iterable, Iterator

from diffing.estimates import Estimate
from diffing.metrics import FALSE_DISCOVERY_RATE
from diffing.report.grouped_list import ListEntry
from diffing.report.index import index_of
from diffing.report.model_names import ModelNames
from diffing.report.model_names import one_line as one_line
from diffing.report.run_pairs import pairs_of_run
from diffing.types import (
    FeatureMeasure,
    Finding,
    Hypothesis,
    LatentMeasure,
    Measure,
    PhraseMeasure,
    PropertyMeasure,
    Report,
    Side,
    Split,
    other_side,
)

_PLACEHOLDER = re.compile(r"(<MODEL>|<OTHER MODEL>)")
_CURLY = str.maketrans("«»", "“”")
_COMMIT = re.compile(r"@([0-9a-f]{7})[0-9a-f]{33}(?![0-9a-f])")
_SPACE = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"

HEADLINE_LENGTH = 160
"""Maximum number of characters of each statement in the headline."""


def pieces(finding: Finding) -> Iterator[tuple[str, Side | None]]:
    """Splits a finding's hypothesis at its model placeholders.

    Yields `(text, None)` for text and `("", side)` for a place at which a model's name belongs. The full stop at the
    end is left out.
    """
    yield from pieces_of(text_of(finding), finding.hypothesis.direction)


def text_of(finding: Finding) -> str:
    """Returns the text of a finding's hypothesis as `hypothesis_text` gives it."""
    return hypothesis_text(finding.hypothesis)


def hypothesis_text(hypothesis: Hypothesis) -> str:
    """Returns a hypothesis's text without its full stop, with its placeholders, and with “” around a phrase.

    Reports hold the phrase in «»; other hypotheses stay as they are, because they may quote French.

    Args:
        hypothesis: Any hypothesis, confirmed or not.
    """
    text = hypothesis.text.strip().removesuffix(".")
    return text.translate(_CURLY) if isinstance(hypothesis.measure, PhraseMeasure) else text


def pieces_of(text: str, direction: Side) -> Iterator[tuple[str, Side | None]]:
    """Splits the text of any hypothesis at its model placeholders, as `pieces` does for a finding.

    Args:
        text: The hypothesis.
        direction: The model that should show the behaviour; `<MODEL>` stands for it.
    """
    for piece in _PLACEHOLDER.split(text.strip().removesuffix(".")):
        if piece == "<MODEL>":
            yield "", direction
        elif piece == "<OTHER MODEL>":
            yield "", other_side(direction)
        elif piece:
            yield piece, None


def statement(finding: Finding, names: ModelNames) -> str:
    """Returns the hypothesis with the models' names filled in and without a full stop."""
    return "".join(names.of(side) if side else text for text, side in pieces(finding))


def line_statement(entry: ListEntry, names: ModelNames) -> str:
    """Returns the statement of an entry's lead; if members speak for the other model, with the strongest of these.

    Example: "base refuses more often; tuned answers with lists more often instead".
    """
    lead = statement(entry.lead, names)
    return f"{lead}; {statement(entry.opposite.finding, names)} instead" if entry.opposite else lead


def measured_by(measure: Measure) -> str:
    """Describes in a few words what a measure counts."""
    match measure:
        case PropertyMeasure(name):
            return name
        case PhraseMeasure(phrase):
            return f"phrase: {phrase}"
        case LatentMeasure(indices):
            return f"features active: {', '.join(map(str, indices))}"
        case FeatureMeasure():
            return f"features active: {measure.text}"


def headline_rank(finding: Finding) -> int:
    """Ranks a finding by how much its sentence says on its own: 0 a behaviour, 1 a word or phrase, 2 a feature."""
    return 2 if needs_examples(finding) else int(isinstance(finding.hypothesis.measure, PhraseMeasure))


def needs_examples(finding: Finding) -> bool:
    """Whether a finding's sentence says little without examples, as with a feature; such findings come last."""
    return isinstance(finding.hypothesis.measure, LatentMeasure | FeatureMeasure)


def explanation(report: Report) -> str:
    """Explains in one or two sentences what the headline means and what it does not mean."""
    index = index_of(report)
    if not report.findings:
        return (
            f"The methods saw {count(prompts_in(report, 'train'), 'train prompt')} and proposed nothing to test. "
            "That is not proof that the models behave alike: see what was left out, try more prompts or another method."
        )
    if confirmed := index.confirmed:
        return _confirmed_in_words(report, prompt_counts(confirmed, "held-out prompt"))
    if not index.tested:
        return (
            f"None of the hypotheses that came up ({len(report.findings)}) looked on train prompts as if held-out "
            "prompts could confirm it, so none was tested there. That is not proof that there is no difference."
        )
    if all(each.heldout.n == 0 for each in index.tested):
        return f"All {sum(each.heldout.unreadable for each in report.findings)} verdicts are unreadable: see the notes."
    tested, n = len(index.tested), max(finding.heldout.n for finding in report.findings)
    smallest = smallest_confirmable(tested, n)
    if smallest is None:
        bound = f"{count(n, 'prompt')} cannot confirm any difference, however large"
    else:
        needed = f"{round(smallest * n)} of {count(n, 'prompt')} for it and none against"
        least = points(smallest).lstrip("+")
        bound = (
            f"these prompts can confirm no difference below {least} percentage points ({needed}), and one that often "
            "goes both ways must be larger"
        )
    return (
        f"That is not proof that there is none: with {count(tested, 'idea')} tested, {bound}. "
        "More prompts can confirm smaller ones."
    )


def _confirmed_in_words(report: Report, heldout: str) -> str:
    """Says how many differences are confirmed, and of how many findings they consist if these are grouped.

    The expected rate of chance findings holds for single findings and not for lines.
    """
    index = index_of(report)
    confirmed, tested = len(index.confirmed), len(index.tested)
    predicted = "Each was predicted from other prompts before it was tested on these"
    chance = f"expect at most about 1 in {round(1 / FALSE_DISCOVERY_RATE)} to be chance"
    kinds = (
        (index.differences, ("difference",)),
        (index.wording, ("word or phrase", "words and phrases")),
        (index.bare_features, ("internal feature",)),
    )
    lines = [(len(entries), noun) for entries, noun in kinds if entries]
    if not lines or len(index.differences) == confirmed:
        are = "is" if confirmed == 1 else "are"
        total = f"{confirmed:,} of {count(tested, 'tested difference')}"
        return f"{total} {are} confirmed on {heldout}. {predicted}; {chance}."
    (first, noun), *others = lines
    beside = f" (and {' and '.join(count(each, *named) for each, named in others)})" if others else ""
    return (
        f"{count(first, *noun)}{beside} {'is' if first == 1 else 'are'} confirmed on {heldout}. {predicted}. Of the "
        f"{count(confirmed, 'confirmed finding')} behind that, among {tested:,} tested, {chance}."
    )


def with_short_commits(model_id: str) -> str:
    """Returns the id of a model with seven characters of each commit; the dataset and the report keep all of them."""
    return _COMMIT.sub(r"@\1", model_id)


def smallest_confirmable(tested: int, n: int) -> float | None:
    """Returns the smallest net difference that can be confirmed if no other hypothesis of the run holds.

    With k verdicts for and none against, the exact one-sided sign test gives p = 2^-k. Benjamini-Hochberg confirms a
    lone hypothesis if p <= 0.05 / tested, so k = ceil(log2(tested / 0.05)) and the net difference is k / n. Verdicts
    against it raise this bound.

    Args:
        tested: Number of hypotheses that the run tested, at least 1.
        n: Number of readable verdicts per hypothesis.

    Returns:
        A share of n, or None if even n verdicts for and none against would not be enough.
    """
    needed = math.ceil(math.log2(tested / FALSE_DISCOVERY_RATE))
    return needed / n if needed <= n else None


def prompt_counts(findings: Iterable[Finding], noun: str) -> str:
    """Returns on how many held-out prompts findings were tested, as a range such as `50 to 180 prompts` if they differ.

    Args:
        findings: At least one tested finding.
        noun: What to call a prompt.
    """
    numbers = [finding.heldout.n + finding.heldout.unreadable for finding in findings]
    fewest = f"{min(numbers):,} to " if min(numbers) < max(numbers) else ""
    return f"{fewest}{count(max(numbers), noun)}"


def tested_only_inside(finding: Finding) -> bool:
    """Whether every held-out prompt on which a finding was tested is in the scope that its sentence states."""
    inside, heldout = finding.heldout_in_scope, finding.heldout
    return inside is not None and (inside.n, inside.unreadable) == (heldout.n, heldout.unreadable)


def prompts_in(report: Report, split: Split) -> int:
    """Counts the run's prompts in a split, without those that a method asked or had written."""
    return sum(pair.prompt.split == split for pair in pairs_of_run(report))


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Returns a number with its noun in singular or plural; the default plural is the noun with an s."""
    return f"{number:,}{_SPACE}{noun if number == 1 else plural or f'{noun}s'}"


def percent(share: float | None) -> str:
    """Formats a share in percent: 0% and 100% only if the share is exactly that, and a dash if it is undefined."""
    if share is None:
        return "–"
    if 0 < share < 0.005:
        return "<1%"
    if 0.995 <= share < 1:
        return ">99%"
    return f"{100 * share:.0f}%"


def points(difference: float | None) -> str:
    """Formats a difference of shares in signed percentage points, with one decimal below one point.

    An undefined difference becomes a dash.
    """
    if difference is None:
        return "–"
    scaled = 100 * difference
    digits = 1 if 0.05 <= abs(scaled) < 0.95 else 0
    text = f"{abs(scaled):.{digits}f}"
    return text if float(text) == 0 else f"{'+' if scaled > 0 else _MINUS}{text}"


def interval(estimate: Estimate) -> str:
    """Formats the interval of a difference in signed percentage points, such as `+47 to +69`."""
    return f"{points(estimate.low)} to {points(estimate.high)}"


def shares(estimate: Estimate) -> str:
    """Formats the interval of a share, such as `47 to 69%`."""
    if estimate.low is None or estimate.high is None:
        return "–"
    return f"{percent(estimate.low).removesuffix('%')} to {percent(estimate.high)}"


def probability(p: float | None) -> str:
    """Formats a p or q value with two significant digits; an undefined one becomes a dash."""
    if p is None:
        return "–"
    return "<0.0001" if p < 0.0001 else f"{p:.4f}" if p < 0.01 else f"{p:.2f}"
