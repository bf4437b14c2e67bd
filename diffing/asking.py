"""Tests a question that a user asks of a finished report: an LLM words it as a hypothesis, the judge decides.

The LLM that words it sees the question and the models' names, and no response. The hypothesis is judged on the report's
held-out prompts; what was asked of a report is tested together, apart from the run's own findings.
"""

import hashlib
from dataclasses import dataclass, replace

from diffing.errors import SettingError
from diffing.judge import Judging, judge
from diffing.methods.llm.proposal import object_schema
from diffing.methods.statements import CATEGORIES, Statement, read_statement
from diffing.models.base import Model
from diffing.paths import check_text
from diffing.report.asked_tables import METHOD, MOST, AskedHypothesis, asked_of, with_asked
from diffing.report.index import index_of
from diffing.report.model_names import ModelNames
from diffing.report.run_pairs import pairs_of_run
from diffing.scope import Scope
from diffing.structured_replies import ReplyError, UnreadableReply, entry, offered
from diffing.structured_replies import ask as ask_llm
from diffing.templates import fence, render
from diffing.types import SIDES, Category, Hypothesis, OnProgress, Report, Side, Stage, Usage, ignore_progress

WORD = Stage("word question", "Wording")
"""An LLM words the question as a hypothesis."""
LONGEST_QUESTION = 1_000
"""Maximum length of a question in bytes."""
_SCHEMA = object_schema(
    {
        "model": {"type": "string", "enum": ["A", "B", "either"]},
        "behaviour": {"type": "string"},
        "condition": {"type": "string"},
        "category": {"type": "string", "enum": list(CATEGORIES)},
    }
)


@dataclass(frozen=True, slots=True)
class WordedQuestion:
    """A question as a statement that can be tested."""

    statement: Statement
    """What it says of `<MODEL>`."""
    sides: tuple[Side, ...]
    """The models that it may be about: one, or both if the question does not say which."""
    category: Category
    """The category."""

    @property
    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """One hypothesis for each model that it may be about."""
        text, condition = self.statement.text, self.statement.condition
        return tuple(
            Hypothesis(
                id=f"{METHOD}-{hashlib.sha256(f'{side} {text}'.encode()).hexdigest()[:8]}",
                text=text,
                direction=side,
                method=METHOD,
                category=self.category,
                scope=Scope("stated", condition) if condition else None,
            )
            for side in self.sides
        )


def ask_report(
    report: Report,
    question: str,
    model: Model,
    judging: Judging | None = None,
    on_progress: OnProgress = ignore_progress,
) -> tuple[Report, tuple[Usage, ...]]:
    """Asks a question of a report, and stores the answer in it, beside the run's findings.

    Args:
        report: The report, with at least one held-out prompt.
        question: The question in the user's words.
        model: The LLM that words the question and judges.
        judging: How the judge is asked.
        on_progress: Called after every answer.

    Returns:
        The report with the answer (see `asked_results`), and the calls and tokens.

    Raises:
        SettingError: The question cannot be tested, or too much was asked of this report.
        ModelError: The LLM cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    heldout = [pair for pair in pairs_of_run(report) if pair.prompt.split == "heldout"]
    if not heldout:
        raise SettingError("The report has no held-out prompts, on which questions are tested. Give another report")
    worded, usage = word_question(question, index_of(report).names, model, on_progress)
    hypotheses = worded.hypotheses
    _check_number(report, hypotheses)
    first = hypotheses[0]  # a verdict names a response, so it serves both directions
    judged = judge(model, [first], heldout, judging, on_progress=on_progress)
    asked = [
        AskedHypothesis(
            question, each, model.id, tuple(replace(one, hypothesis_id=each.id) for one in judged.judgements)
        )
        for each in hypotheses
    ]
    scopes = (judged.scope_usage,) if judged.scope_usage else ()
    return with_asked(report, asked), (usage, *scopes, judged.usage)


def word_question(
    question: str, names: ModelNames, model: Model, on_progress: OnProgress = ignore_progress
) -> tuple[WordedQuestion, Usage]:
    """Has an LLM word a question as a statement about one of two models. It sees no response.

    Args:
        question: The question in the user's words.
        names: The names of the two models, which the question may use.
        model: The LLM.
        on_progress: Called after every answer.

    Raises:
        SettingError: The question is empty, too long, or not about a behaviour that shows in responses.
    """
    check_text(question, "The question", longest=LONGEST_QUESTION)
    if not question.strip():
        raise SettingError("The question is empty: expected one such as “does B refuse medical questions more?”")
    values = {"question": fence(question), "name_a": fence(names.a), "name_b": fence(names.b)}
    text = render("word_question", **values)
    asked = ask_llm(model, [text], _read, stage=WORD, schema=_SCHEMA, on_progress=on_progress)
    (worded,) = asked.replies
    if isinstance(worded, UnreadableReply):
        raise SettingError(
            f"The LLM did not turn the question into a statement that can be tested ({worded.reason}). Ask about one "
            "behaviour that shows in a response, such as “does B refuse medical questions more?”"
        )
    return worded, asked.usage


def _read(value: object) -> WordedQuestion:
    named = offered(entry(value, "model"), ("A", "B", "either"))
    statement, category = read_statement(value), offered(entry(value, "category"), CATEGORIES)
    if statement.condition_rejected:
        raise ReplyError("a condition that cannot be decided from the prompt")
    sides: tuple[Side, ...] = SIDES if named == "either" else ("a",) if named == "A" else ("b",)
    return WordedQuestion(statement, sides, category)


def _check_number(report: Report, hypotheses: tuple[Hypothesis, ...]) -> None:
    known = {each.hypothesis.id for each in asked_of(report)}
    if len(known | {each.id for each in hypotheses}) > MOST:
        raise SettingError(f"{len(known)} hypotheses were asked of this report already: expected at most {MOST}")
