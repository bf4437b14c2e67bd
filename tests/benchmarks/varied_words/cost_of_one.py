"""Measures the cost of the method llm with the code that is imported, which can be that of an earlier commit.

So this imports nothing that is newer than the method: `python -m tests.benchmarks.varied_words.cost_of_one`.
"""

import json
from collections.abc import Mapping

from diffing.methods.llm import LlmMethod
from diffing.pipeline import diff_models
from diffing.types import Row
from tests.benchmarks.varied_words.scoring import score
from tests.benchmarks.varied_words.worlds import RESPONSES, recorded
from tests.servers.varied import VariedLLM, in_process

PAIRS = {
    "humor_0.1 against humor_0.9": ("llama30b-profile-humor_0.1.sample0", "llama30b-profile-humor_0.9.sample0"),
    "sft-2.5k against rlhf-2k": ("pythia12b-sft-2.5k.sample0", "pythia12b-rlhf-2k.sample0"),
}
READERS: Mapping[str, Mapping[str, float]] = {
    "one wording": {"forgets": 0, "impressions": 0, "topical": 0, "reversed_": 0, "wordings": 1},
    "varied words": {"forgets": 0, "impressions": 0},
}
"""The earlier method finds hypotheses only if the same is always said in the same words."""


def measure() -> list[Row]:
    """Runs every pair of models with every reader, on the code that is imported."""
    rows: list[Row] = []
    for name, (one, two) in PAIRS.items():
        for reader, options in READERS.items():
            world = recorded(one, two, 60, 40)
            llm = in_process(VariedLLM(**options))  # type: ignore[arg-type]
            potion = str(RESPONSES.parent / "models" / "potion-base-4m-int8")
            method = LlmMethod(llm, embedder=potion)
            report = diff_models(*world.models(), world.prompts, methods=(method,), judge=llm, raters=(llm,))
            usage = [each for each in report.usage if each.model == llm.id]
            scored = score(report, world)
            rows.append(
                {
                    "compared": name,
                    "reader": reader,
                    "confirmed": len(scored.confirmed),
                    "wrong": len(scored.wrong),
                    "calls": sum(each.calls for each in usage),
                    "tokens": sum(each.prompt_tokens + each.completion_tokens for each in usage),
                }
            )
    return rows


if __name__ == "__main__":
    print(json.dumps(measure()))
