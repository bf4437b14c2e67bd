"""Puts an entry of a report's list into words: on which prompts it occurs, each model's level, how sure it is.

All functions return plain text, as those of `phrasing` do. A place is said to be where a difference is concentrated,
never why it is there; if no place was found, nothing is claimed about all prompts.
"""

from collections.abc import Mapping

from diffing.estimates import Concentration, Metrics
from diffing.metrics import FALSE_DISCOVERY_RATE, wilson
from diffing.outputs.coverage_words import coverage_in_words as coverage_in_words
from diffing.outputs.level_words import bare_level, level_of, level_with_interval
from diffing.outputs.phrasing import one_line, shares
from diffing.report.model_names import ModelNames
from diffing.scope import Scope, Term
from diffing.types import Finding, KnownBy, Level, Place, other_side

NO_NARROWER_PLACE = "no narrower place was found"
"""What is said about a confirmed difference for which no scope was found."""
NO_ONE_PLACE = "no one place"
"""The same in a column of the list."""
_SCOPE_LENGTH = 200
_LABEL_LENGTH = 60
_KNOWN_BY: Mapping[KnownBy, str] = {
    "lead": "stands for the line",
    "property": "the same measured property",
    "judge": "the judge says that both say the same",
    "verdicts": "says the same: it shows in the same pairs",
    "kin": "another sign of the same behaviour",
    "part": "stands in the passages that show it",
    "pairs": "shows in the same pairs",
    "mirror": "the other model's side of it, in the same pairs",
    "follows": "shows where the lead shows, and hardly elsewhere",
}
_SURE: tuple[tuple[float, str, str], ...] = (
    (0.001, "very sure", "fewer than 1 in 1,000"),
    (0.01, "sure", "fewer than 1 in 100"),
    (0.05, "fairly sure", "at most 1 in 20"),
)
"""Bounds of q with what is said below them, and with how often chance alone goes that far: p is never above q."""


def where(finding: Finding, names: ModelNames) -> str | None:
    """Returns where a difference is concentrated, with both models' own results there and on all other prompts.

    Example: "when asked about medicine: tuned in 17 of 17 (82 to 100%), base in 0 of 17 (0 to 18%); elsewhere 0 and 0
    of 197". The model that the finding speaks of comes first. The numbers are levels if they are known, else verdicts,
    which is said: "fits tuned better in 17 of 17". For a scope that an LLM stated, nothing is said about other prompts,
    because the finding does not speak of them.

    Args:
        finding: The finding.
        names: The models' names.

    Returns:
        The text; None if the finding has no scope, or was not tested on held-out prompts.
    """
    scope = scope_of(finding)
    if scope is None or finding.heldout.p is None:
        return None
    condition = one_line(scope.words, _SCOPE_LENGTH)
    return f"{condition}: {_by_levels(finding, names) or _by_verdicts(finding, names)}"


def scope_of(finding: Finding) -> Scope | None:
    """Returns the scope that is shown for a finding: the measured one if its test held, else that of the sentence."""
    concentration = concentration_of(finding)
    return concentration.scope if concentration else finding.hypothesis.scope


def concentration_of(finding: Finding) -> Concentration | None:
    """Returns the measured scope of a finding, if its test held."""
    found = finding.concentration
    return None if found is None or (found.q or 0) > FALSE_DISCOVERY_RATE else found


def metrics_shown(finding: Finding) -> Metrics:
    """Returns the held-out metrics that are shown for a finding: those in its scope if it has one, else over all."""
    concentration = concentration_of(finding)
    within = concentration.inside if concentration else finding.heldout_in_scope
    return within if within is not None and within.n else finding.heldout


def place_label(finding: Finding) -> str | None:
    """Returns a few words for the place of a difference, such as "medicine" or "says “please”".

    It is None if the finding has no scope.
    """
    scope = scope_of(finding)
    if scope is None:
        return None
    if scope.rule is None:
        return one_line(scope.words.removeprefix("when "), _LABEL_LENGTH)
    *first, last = (_term_label(term, place) for place, term in enumerate(scope.rule.terms))
    joint = f" {scope.rule.junction or 'and'} "
    return one_line(joint.join([", ".join(first), last] if first else [last]), _LABEL_LENGTH)


def levels_in_words(finding: Finding, names: ModelNames) -> str | None:
    """Returns each model's own level over all held-out prompts, the model that the finding speaks of first.

    Examples: "tuned 8% (5 to 13%), base 0% (0 to 2%)"; "tuned 24 words (22 to 27), base 21 words (20 to 23)"; for
    judged findings "fits tuned in 30% (24 to 37%), base in 4% (2 to 8%)". Shares of fewer than 30 responses are counts.

    Args:
        finding: The finding.
        names: The models' names.

    Returns:
        The text; None if the levels are not known.
    """
    own, other = _both(finding, "all")
    if own is None or other is None:
        return None
    first, second = (
        f"{names.of(each.side)}{_joint(each)}{level_with_interval(finding, each)}" for each in (own, other)
    )
    return f"{'fits ' if own.kind == 'fits' else ''}{first}, {second}"


def sureness(q: float | None) -> str | None:
    """Returns how sure a confirmed difference is: "very sure" below 0.001, "sure" below 0.01, else "fairly sure".

    Args:
        q: The finding's q value. It is None, as the result is, if the finding was not tested or q is above 0.05.
    """
    found = _sure(q)
    return found[1] if found else None


def chance(q: float | None) -> str | None:
    """Returns what a degree of sureness means, such as "chance alone would show this in at most 1 in 20 comparisons".

    Args:
        q: The finding's q value. It is None, as the result is, if the finding was not tested or q is above 0.05.
    """
    found = _sure(q)
    return f"chance alone would show this in {found[2]} comparisons" if found else None


def known_by_in_words(known_by: KnownBy) -> str:
    """Returns why a finding belongs to a line, such as "another sign of the same behaviour".

    Args:
        known_by: The reason as reports store it; one that is unknown is returned as it is.
    """
    return _KNOWN_BY.get(known_by, known_by)


def _sure(q: float | None) -> tuple[float, str, str] | None:
    if q is None or q > _SURE[-1][0]:
        return None
    return next((each for each in _SURE if q < each[0]), _SURE[-1])


def _both(finding: Finding, place: Place) -> tuple[Level | None, Level | None]:
    """The held-out levels at a place: that of the model that the finding speaks of, and that of the other one."""
    side = finding.hypothesis.direction
    return level_of(finding, place, side), level_of(finding, place, other_side(side))


def _joint(level: Level) -> str:
    return " in " if level.kind == "fits" else " "


def _by_levels(finding: Finding, names: ModelNames) -> str | None:
    own, other = _both(finding, "inside")
    if own is None or other is None:
        return None
    joint = " " if own.kind == "median" else " in "
    inside = ", ".join(
        f"{names.of(each.side)}{joint}{level_with_interval(finding, each, counts=True)}" for each in (own, other)
    )
    return f"{'fits ' if own.kind == 'fits' else ''}{inside}{_levels_elsewhere(finding)}"


def _levels_elsewhere(finding: Finding) -> str:
    own, other = _both(finding, "outside")
    if own is None or other is None or not own.value.n:
        return ""
    return f"; elsewhere {bare_level(own, of=own.value.n != other.value.n)} and {bare_level(other, of=True)}"


def _by_verdicts(finding: Finding, names: ModelNames) -> str:
    """The verdicts inside and outside the scope, worded as such, because they compare both responses of a pair."""
    concentration, side = concentration_of(finding), finding.hypothesis.direction
    within = concentration.inside if concentration else finding.heldout_in_scope
    if within is None or not within.n:
        return "no readable verdict" if within and within.unreadable else "no held-out prompt meets this condition"
    own, other = names.of(side), names.of(other_side(side))
    for_own, for_other = _of_pairs(within.k_for, within), _of_pairs(within.k_against, within)
    said = f"fits {own} better in {for_own}, {other} better in {for_other}"
    outside = concentration.outside if concentration else None
    if outside is None or not outside.n:
        return said
    return f"{said}; elsewhere {outside.k_for:,} and {outside.k_against:,} of {outside.n:,}"


def _of_pairs(number: int, within: Metrics) -> str:
    return f"{number:,} of {within.n:,} ({shares(wilson(number, within.n))})"


def _term_label(term: Term, place: int) -> str:
    """Labels one condition of a scope; in `says “please” or “thanks”`, the verb stands once, at place 0."""
    if term.kind == "word":
        return f"{'' if place else 'says '}“{term.value}”"
    return f"domains with “{term.value}”" if term.kind == "part" else term.value
