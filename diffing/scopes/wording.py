"""Puts into words on which prompts a difference occurs.

The words come from prompts, so they are quoted and short. A domain is a name that somebody gave: one that reads like a
topic is used as such, any other is quoted.
"""

from diffing.methods.lexical.word_tokens import as_written
from diffing.scope import Scope, ScopeRule, Term
from diffing.scopes.prompt_reading import QUESTION, SEVERAL_LINES

LONGEST = 40
"""The largest number of characters of a name or word that is shown."""
_NO_TOPICS = ("able", "al", "ed", "ful", "ish", "ive", "less", "ous", "safe")
"""Endings of names that say what prompts are like instead of what they are about."""
_ASKED = {
    "general": "",
    "howto": "asked how to do something",
    "instruction-constraints": "asked to keep to constraints",
    "misc": "",
    "none": "",
    "other": "",
    "roleplay": "asked to play a role",
    "smalltalk": "asked for small talk",
    "summarise-and-edit": "asked to summarise or edit a text",
}
"""Domains whose names do not read like a topic, in words; empty if the name must be quoted."""


def scope_of(rule: ScopeRule) -> Scope:
    """Makes the measured scope of a rule, with its words.

    Args:
        rule: The rule.
    """
    return Scope("measured", words_of_rule(rule), rule)


def words_of_rule(rule: ScopeRule) -> str:
    """Says a rule as a clause that begins with "when", such as `when asked about medicine`.

    Args:
        rule: The rule.
    """
    if len(rule.terms) > 1 and all(term.kind == "domain" for term in rule.terms) and rule.junction == "or":
        return f"when {_domains([term.value for term in rule.terms])}"
    first, *others = (_clause(term) for term in rule.terms)
    join = {"and": "and", "or": "or when", "without": "but not when", None: ""}[rule.junction]
    return " ".join([f"when {first}", *(f"{join} {other}" for other in others)])


def _clause(term: Term) -> str:
    """Says a condition as a clause without "when"."""
    match term.kind:
        case "domain":
            return _domains([term.value])
        case "part":
            return f"the prompt's domain contains {_quoted(term.value)}"
        case "word":
            return f"the prompt says {_quoted(as_written(term.value))}"
        case "form":
            return _form(term.value)


def _form(form: str) -> str:
    if form == QUESTION:
        return "the prompt ends with a question mark"
    if form == SEVERAL_LINES:
        return "the prompt has several lines"
    return f"the prompt is {'long' if form.startswith('more') else 'short'} ({form})"


def _domains(names: list[str]) -> str:
    """Says one or several domains: `asked about medicine or travel`, or `the prompt's domain is “contrast_privacy”`."""
    if len(names) == 1 and _ASKED.get(names[0]):
        return _ASKED[names[0]]
    if all(_reads_as_topic(name) for name in names):
        return f"asked about {_listed([name.replace('-', ' ') for name in names])}"
    return f"the prompt's domain is {_listed([_quoted(name) for name in names])}"


def _reads_as_topic(name: str) -> bool:
    words = name.replace("-", " ").split(" ")
    plain = all(word.isalpha() for word in words) and len(name) <= LONGEST
    return plain and name not in _ASKED and not name.endswith(_NO_TOPICS)


def _listed(names: list[str]) -> str:
    *start, last = names
    return f"{', '.join(start)} or {last}" if start else last


def _quoted(text: str) -> str:
    return f"“{text if len(text) <= LONGEST else f'{text[: LONGEST - 1]}…'}”"
