"""Limits on the size of a report that the page shows, counted without interpreting what the report says.

Rendering one text or one list blocks all other visitors, so each has a maximum size.
"""

from collections.abc import Iterator, Sized

from diffing.types import Report

LONGEST_TEXT = 200_000
"""Maximum number of characters of one text. A model's longest response has about a tenth of this."""
MOST_CHARACTERS = 300_000_000
"""Maximum number of characters of all texts together. A report of 10,000 prompts has about a tenth of this."""
MOST: dict[str, int] = {
    "pairs": 20_000,
    "findings": 5_000,
    "judgements": 1_000_000,
    "notes": 1_000,
    "usage": 200,
    "others": 50,
    "settings": 1_000,
    "versions": 1_000,
    "left_out": 1_000,
    "tables": 50,
}
"""Maximum number of items of each part of a report."""
_LIGHT = {"pairs": 600, "findings": 200, "judgements": 20_000}
_LIGHT_CHARACTERS = 3_000_000
MOST_EVIDENCE, MOST_QUOTES = 100_000, 2_000
"""Maximum number of quotes of all findings together, and of one finding."""
MOST_CELLS = 5_000_000
"""Maximum number of cells of all tables of the methods together."""


def excess_of(report: Report) -> str:
    """What exceeds its limit, such as “30,000 pairs”; empty if nothing does.

    Args:
        report: A report from anybody.
    """
    for name, most in MOST.items():
        part: Sized = getattr(report, name)
        if len(part) > most:
            return f"{len(part):,} {name}"
    quotes = [len(finding.hypothesis.evidence) for finding in report.findings]
    if max(quotes, default=0) > MOST_QUOTES or sum(quotes) > MOST_EVIDENCE:
        return f"{sum(quotes):,} quotes"
    cells = sum(len(rows) * len(rows[0]) for rows in report.tables.values() if rows)
    if cells > MOST_CELLS:
        return f"{cells:,} cells"
    characters = 0
    for text in _texts(report):
        characters += len(text)
        if len(text) > LONGEST_TEXT or characters > MOST_CHARACTERS:
            return f"{characters:,} characters"
    return ""


def is_small(report: Report) -> bool:
    """Whether everything can be rendered from a report almost at once, as from most reports.

    Args:
        report: A report from anybody.
    """
    if any(len(getattr(report, name)) > most for name, most in _LIGHT.items()):
        return False
    cells = sum(len(rows) * len(rows[0]) for rows in report.tables.values() if rows)
    return cells <= _LIGHT["judgements"] * 5 and sum(map(len, _texts(report))) <= _LIGHT_CHARACTERS


def _texts(report: Report) -> Iterator[str]:
    """Every text that a stranger may have written, except names, which the file's size limits."""
    for pair in report.pairs:
        yield pair.prompt.id
        yield pair.prompt.domain or ""
        yield from (message.content for message in pair.prompt.messages)
        yield from (response.text for response in (pair.a, pair.b))
        yield from (response.thinking or "" for response in (pair.a, pair.b))
    for finding in report.findings:
        yield finding.hypothesis.text
        scopes = (finding.hypothesis.scope, finding.concentration.scope if finding.concentration else None)
        for scope in (each for each in scopes if each):
            yield scope.words
            yield from (term.value for term in (scope.rule.terms if scope.rule else ()))
        yield from (each.quote for each in finding.hypothesis.evidence)
    for judgement in report.judgements:
        yield judgement.reply or ""
        yield judgement.judge
    for rows in report.tables.values():
        for row in rows:
            yield from (value for value in row.values() if isinstance(value, str))
    yield from report.notes
    yield from (str(value) for value in report.settings.values())
    yield from (info.id for info in (report.model_a, report.model_b, *report.others))
