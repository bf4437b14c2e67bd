"""A report in plain words: short names, a finding's sentence, the headline. Knows no page and no file.

Everything returned is plain text that still holds what models and users wrote: escaping for HTML, Markdown or a
terminal is the caller's duty. Only what held-out prompts confirmed is claimed.
"""

import math
import re
from collections.abc import Iterable, Iterator

from diffing.metrics import FALSE_DISCOVERY_RATE
from diffing.report.grouped_list import Entry
from diffing.report.index import index_of
from diffing.report.model_names import Names
from diffing.report.model_names import one_line as one_line
from diffing.types import (
    Estimate,
    Finding,
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
_LINE_END = re.compile("\r\n|[\r\x85\u2028\u2029]")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters
    "\u202a-\u202e\u2066-\u2069"  # directions that run on beyond the text
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e007f]"  # no characters, and letters nobody sees
)
_SPACE = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"

HEADLINE_LENGTH = 160
"""Characters of each statement in the headline, at most."""


def several_lines(text: str) -> str:
    """The text with line feeds for line ends, and U+FFFD for what nobody sees but what changes the text around it.

    Spaces of all kinds, tabs and joiners, without which many scripts and emoji fall apart, stay.
    """
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", _LINE_END.sub("\n", text))


def pieces(finding: Finding) -> Iterator[tuple[str, Side | None]]:
    """The hypothesis without a full stop, in pieces: text with None, and sides where a model's name belongs."""
    yield from pieces_of(finding.hypothesis.text, finding.hypothesis.direction)


def pieces_of(text: str, direction: Side) -> Iterator[tuple[str, Side | None]]:
    """The same of a hypothesis that is not yet a finding.

    Args:
        text: The hypothesis.
        direction: The model of which it is predicted.
    """
    for piece in _PLACEHOLDER.split(text.strip().removesuffix(".")):
        if piece == "<MODEL>":
            yield "", direction
        elif piece == "<OTHER MODEL>":
            yield "", other_side(direction)
        elif piece:
            yield piece, None


def statement(finding: Finding, names: Names) -> str:
    """The hypothesis with the models' names, without a full stop."""
    return "".join(names.of(side) if side else text for text, side in pieces(finding))


def sentence(finding: Finding, names: Names) -> str:
    """The hypothesis and what held-out prompts said of it, in one sentence.

    "tuned writes longer responses (in words) than base: in 71 % of 83 held-out prompts, against 12 % the other way; net
    difference +59 points, 95 % interval +47 to +69". What is not confirmed says so at the end.
    """
    heldout = finding.heldout
    if heldout.p is None:
        return f"{statement(finding, names)}: not tested on held-out prompts, train prompts left no hope"
    if heldout.n == 0:
        return f"{statement(finding, names)}: not tested, there is no readable verdict on held-out prompts"
    net = heldout.net_difference
    told = (
        f"{statement(finding, names)}: in {percent(heldout.k_for / heldout.n)} of "
        f"{count(heldout.n, 'held-out prompt')}, against {percent(heldout.k_against / heldout.n)} the other way; "
        f"net difference {points(net.value)} points, 95{_SPACE}% interval {interval(net)}"
    )
    return told if finding.confirmed else f"{told}; not confirmed"


def headline(report: Report) -> str:
    """One sentence for the whole report: the largest confirmed difference of each model. Claims nothing else."""
    index = index_of(report)
    names, tested = index.names, index.tested
    if not report.findings:
        return f"No hypothesis was found, so nothing was tested between {names.a} and {names.b}"
    if not tested:
        return f"No difference between {names.a} and {names.b} was confirmed: train prompts left nothing to test"
    if all(each.heldout.n == 0 for each in tested):
        return f"Nothing was tested between {names.a} and {names.b}: no verdict on held-out prompts could be read"
    confirmed = [finding for finding in index.leads if finding.confirmed]
    if not confirmed:
        return f"No difference between {names.a} and {names.b} was confirmed on {asked(tested, 'held-out prompt')}"
    ranked = sorted(confirmed, key=needs_examples)
    across = [each for each in ranked if each.hypothesis.direction != ranked[0].hypothesis.direction]
    return "; ".join(one_line(statement(each, names), HEADLINE_LENGTH) for each in (ranked[0], *across[:1]))


def measured_by(measure: Measure) -> str:
    """What is measured, in a few words."""
    match measure:
        case PropertyMeasure(name):
            return name
        case PhraseMeasure(phrase):
            return f"phrase: {phrase}"
        case LatentMeasure(indices):
            return f"features active: {', '.join(map(str, indices))}"


def needs_examples(finding: Finding) -> bool:
    """Whether a finding's sentence says little by itself: a feature of an SAE, which comes after the others."""
    return isinstance(finding.hypothesis.measure, LatentMeasure)


def explanation(report: Report) -> str:
    """What the headline does and does not mean, in one or two sentences."""
    index = index_of(report)
    if not report.findings:
        return (
            f"The methods saw {count(prompts_in(report, 'train'), 'train prompt')} and proposed nothing to test. "
            "That is not proof that the models behave alike: see what was left out, try more prompts or another method."
        )
    if confirmed := index.confirmed:
        heldout = asked(confirmed, "held-out prompt")
        return (
            f"{len(confirmed)} of {count(len(index.tested), 'tested difference')} "
            f"{'is' if len(confirmed) == 1 else 'are'} confirmed on {heldout}. Each was predicted from other prompts "
            "before it was tested on these; of differences confirmed this way, at most "
            f"{percent(FALSE_DISCOVERY_RATE)} are expected to be chance.{_merging(report, len(confirmed))}"
        )
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
        bound = f"{count(n, 'prompt')} cannot confirm any, however large"
    else:
        needed = f"{round(smallest * n)} of {count(n, 'prompt')} for it and none against"
        bound = f"the smallest single one that these can confirm is {points(smallest)} points ({needed})"
    return (
        f"That is not proof that there is none: among {count(tested, 'tested difference')}, {bound}. "
        "More held-out prompts can confirm smaller ones."
    )


def _merging(report: Report, confirmed: int) -> str:
    """That several differences say the same, where they do: the rate of chance ones is not one of entries."""
    entries = sum(finding.confirmed for finding in index_of(report).leads)
    if entries == confirmed:
        return ""
    return f" Shown together where they say the same, the {confirmed:,} are {count(entries, 'entry', 'entries')}."


def smallest_confirmable(tested: int, n: int) -> float | None:
    """The smallest net difference that can be confirmed when no other hypothesis of the run holds.

    With k verdicts for and none against, the exact one-sided sign test gives p = 2^-k; Benjamini-Hochberg confirms a
    lone hypothesis where p <= 0.05 / tested, so k = ceil(log2(tested / 0.05)) and the net difference is k / n. Verdicts
    against raise it.

    Args:
        tested: Hypotheses of the run, at least 1.
        n: Readable verdicts per hypothesis.

    Returns:
        A share of n, or None where even n verdicts for and none against would not do.
    """
    needed = math.ceil(math.log2(tested / FALSE_DISCOVERY_RATE))
    return needed / n if needed <= n else None


def also_found(entry: Entry) -> str:
    """The other methods that found an entry: "sae (agreement 96 %), lexical (agreement 87 %)"; empty without any."""
    return ", ".join(
        f"{member.finding.hypothesis.method} (agreement {percent(member.agreement.value)})" for member in entry.members
    )


def asked(findings: Iterable[Finding], noun: str) -> str:
    """On how many held-out prompts findings were tested: `50 to 180 prompts` where train planned fewer for some.

    Args:
        findings: Tested ones, at least one.
        noun: What to call a prompt.
    """
    numbers = [finding.heldout.n + finding.heldout.unreadable for finding in findings]
    fewest = f"{min(numbers):,} to " if min(numbers) < max(numbers) else ""
    return f"{fewest}{count(max(numbers), noun)}"


def prompts_in(report: Report, split: Split) -> int:
    """How many prompts of the report are in a split."""
    return sum(pair.prompt.split == split for pair in report.pairs)


def count(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun, in the plural where it needs one, which ends in s where no other is given."""
    return f"{number:,}{_SPACE}{noun if number == 1 else plural or f'{noun}s'}"


def percent(share: float | None) -> str:
    """A share in percent; 0 and 100 only where it is exactly that, a dash where it is undefined."""
    if share is None:
        return "–"
    if 0 < share < 0.005:
        return f"<1{_SPACE}%"
    if 0.995 <= share < 1:
        return f">99{_SPACE}%"
    return f"{100 * share:.0f}{_SPACE}%"


def points(difference: float | None) -> str:
    """A difference of shares in signed percentage points; with a decimal below one, a dash where undefined."""
    if difference is None:
        return "–"
    scaled = 100 * difference
    digits = 1 if 0.05 <= abs(scaled) < 0.95 else 0
    text = f"{abs(scaled):.{digits}f}"
    return text if float(text) == 0 else f"{'+' if scaled > 0 else _MINUS}{text}"


def interval(estimate: Estimate) -> str:
    """The ends of a difference's interval in signed points, such as `+47 to +69`."""
    return f"{points(estimate.low)} to {points(estimate.high)}"


def shares(estimate: Estimate) -> str:
    """The ends of a share's interval, such as `47 to 69 %`."""
    if estimate.low is None or estimate.high is None:
        return "–"
    return f"{percent(estimate.low).removesuffix(f'{_SPACE}%')} to {percent(estimate.high)}"


def probability(p: float | None) -> str:
    """A p or q value with two significant digits; a dash where it is undefined."""
    if p is None:
        return "–"
    return "<0.0001" if p < 0.0001 else f"{p:.4f}" if p < 0.01 else f"{p:.2f}"
