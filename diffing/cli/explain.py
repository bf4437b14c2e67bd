"""Prints what a measured property counts, with examples from a report: `diffing show REPORT --explain PROPERTY`."""

from collections.abc import Sequence
from dataclasses import asdict
from difflib import get_close_matches
from typing import TYPE_CHECKING

from diffing.cli.terminal_text import plain, plain_json
from diffing.errors import SettingError
from diffing.outputs.phrasing import one_line

if TYPE_CHECKING:
    from diffing.methods.property_info import PropertyExample, PropertyExamples, PropertyInfo
    from diffing.report.model_names import ModelNames
    from diffing.types import Report

_QUOTE_LENGTH = 300
"""Maximum number of characters of a quoted passage."""
_NAME_LENGTH = 60
"""Maximum number of characters of an unknown name that are repeated."""


def explain(report: "Report", name: str, json_: bool) -> None:
    """Prints what a property counts, how well, and examples in which it is and is not counted.

    Args:
        report: The report whose responses give the examples.
        name: The name of the property.
        json_: Whether to print JSON.

    Raises:
        SettingError: No method measures a property of this name.
    """
    from diffing.methods.plan import measured_properties, property_examples
    from diffing.report.index import index_of

    properties = measured_properties()
    if name not in properties:
        nearest = ", ".join(get_close_matches(name[:_NAME_LENGTH].lower(), properties, 3, cutoff=0))
        raise SettingError(
            f"There is no measured property “{one_line(name, _NAME_LENGTH)}”. The nearest names are: {nearest}"
        )
    info, examples = properties[name], property_examples(name, report.pairs)
    if json_:
        fields = {"property": name, "definition": info.definition, "accuracy": info.accuracy}
        print(plain_json({**fields, **asdict(examples)}))
    else:
        print(plain(_text(name, info, examples, index_of(report).names)))


def _text(name: str, info: "PropertyInfo", examples: "PropertyExamples", names: "ModelNames") -> str:
    (of_a, of_b), (in_a, in_b) = examples.responses, examples.responses_counted
    total = f"Counted in {in_a} of {of_a} responses of {names.a} and in {in_b} of {of_b} of {names.b}."
    unknown = f" It cannot be determined in {examples.unknown} responses." if examples.unknown else ""
    parts = [
        f"{name}: {info.sentence.replace('<MODEL>', 'a model')}",
        info.definition,
        *([info.accuracy] if info.accuracy else []),
        total + unknown,
        _listed("Counted", examples.counted, names),
        _listed("Not counted", examples.not_counted, names),
    ]
    return "\n\n".join(parts)


def _listed(heading: str, examples: "Sequence[PropertyExample]", names: "ModelNames") -> str:
    if not examples:
        return f"{heading}: in no response."
    return "\n".join([f"{heading}:", *(f"- {_line(each, names)}" for each in examples)])


def _line(example: "PropertyExample", names: "ModelNames") -> str:
    value = "" if example.value in (None, 0, 1) else f" ({example.value:.4g})"
    quote = f"“{one_line(example.quote, _QUOTE_LENGTH)}”" if example.quote.strip() else "an empty response"
    return f"{names.of(example.side)}, prompt {one_line(example.prompt_id, _NAME_LENGTH)}{value}: {quote}"
