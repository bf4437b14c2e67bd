"""The plan of the lexical method, which has one step, no settings and no cost."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from diffing.methods.base import Method
from diffing.methods.lexical.stages import MEASURE
from diffing.methods.plan import MethodPlan, MethodTools
from diffing.methods.property_info import PropertyExamples, PropertyInfo
from diffing.run_settings import RunSettings
from diffing.stages import ListedStep
from diffing.types import Hypothesis, Judgement, Pair, Prompt

MEASURED = 48
"""Hypotheses assumed, properties and phrases; as many as for the demo pair with 440 train prompts."""


class LexicalPlan(MethodPlan):
    """The plan of the lexical method, which has no settings, uses no model and takes seconds."""

    name = "lexical"
    title = "Lexical"
    hint = "Measures length, formatting, wording and refusals. Free."
    heading = "Counted in words and forms"
    stages = (MEASURE,)
    reads_amplified = True

    def runs_unasked(self, config: RunSettings) -> bool:
        """Always."""
        return True

    def steps(self, config: RunSettings) -> tuple[ListedStep, ...]:
        """One."""
        says = "Length, form and phrases of the two models' responses are compared."
        return (ListedStep("Counting words and forms", says, (MEASURE,), short=True),)

    def measured(self, config: RunSettings, prompts: Sequence[Prompt]) -> int:
        """As many as for the demo pair, 20 properties and 28 phrases, and fewer with few prompts."""
        return min(MEASURED, len(prompts) // 2)

    def properties(self) -> Mapping[str, PropertyInfo]:
        """The properties, each with its definition, tier and group."""
        from diffing.methods.lexical.definitions import definition_of
        from diffing.methods.lexical.properties import PROPERTIES
        from diffing.methods.lexical.property_groups import place_of
        from diffing.methods.lexical.refusal_accuracy import REFUSAL_ACCURACY, REFUSAL_ERRORS
        from diffing.methods.lexical.wording_properties import WORDING

        places = {each.name: place_of(each.name) for each in PROPERTIES}
        infos = {
            each.name: PropertyInfo(
                *(each.sentence, definition_of(each), places[each.name].tier, places[each.name].group),
                only_signs=each in WORDING,
                counts_words=each in WORDING and each.scale == "counts",
            )
            for each in PROPERTIES
        }
        infos["refusals"] = replace(infos["refusals"], accuracy=REFUSAL_ACCURACY, errors=REFUSAL_ERRORS)
        return infos

    def property_hypotheses(self) -> tuple[Hypothesis, ...]:
        """One for each property that is compared."""
        from diffing.methods.lexical.method import property_hypotheses

        return property_hypotheses()

    def measure_properties(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> list[Judgement]:
        """Measures them as a run does, where they can be determined."""
        from diffing.methods.lexical.determined import measure_determined

        return measure_determined(hypotheses, pairs)

    def property_examples(self, name: str, pairs: Sequence[Pair]) -> PropertyExamples:
        """Measures the property in all responses."""
        from diffing.methods.lexical.properties import BY_NAME
        from diffing.methods.lexical.property_examples import examples_of

        return examples_of(BY_NAME[name], pairs)

    def build(self, config: RunSettings, tools: MethodTools) -> Method:
        """Builds the method."""
        from diffing.methods.lexical import LexicalMethod

        return LexicalMethod()


LEXICAL = LexicalPlan()
