"""Properties of language: which one a response is in, and whether it is the prompt's."""

from diffing.methods.lexical.language_detection import LANGUAGES
from diffing.methods.lexical.measured_property import Property
from diffing.methods.lexical.parsed_response import Exchange


def other_language(exchange: Exchange) -> float | None:
    """1 where the languages of prompt and response differ, None unless both can be told."""
    asked, answered = exchange.prompt_language, exchange.language
    return None if asked is None or answered is None else float(asked != answered)


def _answers_in(name: str) -> Property:
    """The property of answering in one language."""

    def value(exchange: Exchange) -> float | None:
        return None if exchange.language is None else float(exchange.language == name)

    return Property(
        name=f"language_{name.lower()}",
        sentence=f"<MODEL> answers in {name} more often",
        category="language",
        definition=f"the response is in {name}, whatever the prompt's language; the language of both must be told, by "
        "script and frequent words",
        value=value,
    )


LANGUAGE = (
    Property(
        "other_language",
        "<MODEL> answers in a language other than the prompt's more often",
        "language",
        "the languages of prompt and response differ; those of the prompt and both responses must be told, by script "
        "and frequent words",
        other_language,
    ),
    *map(_answers_in, LANGUAGES),
)
"""Properties of language."""
