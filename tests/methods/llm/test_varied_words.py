"""An LLM that says the same in ever different words: what was planted is stated and confirmed, and nothing else."""

from diffing.methods.llm import LlmMethod
from diffing.pipeline import diff_models
from tests.benchmarks.varied_words.scoring import score
from tests.benchmarks.varied_words.worlds import PLANTED, planted
from tests.servers.varied import VariedLLM, in_process


def test_everything_planted_is_stated_and_confirmed() -> None:
    world, llm = planted(240), in_process(VariedLLM(forgets=0, impressions=0))
    method = LlmMethod(llm, embedder="tfidf")
    found = score(diff_models(*world.models(), world.prompts, methods=(method,), judge=llm), world)
    names = {each.name for each in PLANTED}
    assert len(names) == 10
    assert names <= set(found.stated)
    assert names <= set(found.confirmed)
    assert found.wrong == ()


def test_conditions_are_stated_and_decided_from_the_prompt() -> None:
    """The LLM ties every difference to a condition; outside it a pair is not shown, and nothing wrong is confirmed."""
    world, llm = planted(120), in_process(VariedLLM(forgets=0, impressions=0, conditions=1.0))
    report = diff_models(*world.models(), world.prompts, methods=(LlmMethod(llm, embedder="tfidf"),), judge=llm)
    scopes = {finding.hypothesis.scope.words for finding in report.findings if finding.hypothesis.scope}
    assert "when asked a question" in scopes
    assert score(report, world).wrong == ()
    within = [f.heldout_in_scope.n for f in report.findings if f.heldout_in_scope and f.confirmed]
    assert within
    assert set(within) == {40}  # all prompts are short questions
