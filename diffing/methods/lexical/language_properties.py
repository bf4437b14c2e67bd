"""Measured properties of a response's language: which language it is in, and whether it is the prompt's language."""

from diffing.methods.lexical.language_detection import LANGUAGES
from diffing.methods.lexical.measured_property import MeasuredProperty
from diffing.methods.lexical.parsed_response import ParsedResponse


def other_language(exchange: ParsedResponse) -> float | None:
    """Returns 1 if the languages of prompt and response differ, otherwise 0; None unless both can be determined."""
    of_prompt, of_response = exchange.prompt_language, exchange.language
    return None if of_prompt is None or of_response is None else float(of_prompt != of_response)


def _answers_in(name: str) -> MeasuredProperty:
    """Makes the property of answering in one language."""

    def value(exchange: ParsedResponse) -> float | None:
        return None if exchange.language is None else float(exchange.language == name)

    return MeasuredProperty(
        name=f"language_{name.lower()}",
        sentence=f"<MODEL> answers in {name} more often",
        category="language",
        definition=f"the response is in {name}, in whatever language the prompt is; both languages must be detected, "
        "by script and frequent words",
        value=value,
    )


LANGUAGE = (
    MeasuredProperty(
        "other_language",
        "<MODEL> answers in a language other than the prompt's more often",
        "language",
        "the languages of prompt and response differ; those of the prompt and both responses must be detected, by "
        "script and frequent words",
        other_language,
    ),
    *map(_answers_in, LANGUAGES),
)
"""All properties of language."""
