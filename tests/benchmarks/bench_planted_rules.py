"""Measures how many planted behaviours the method llm finds, with a scripted model and a scripted, error-free LLM.

`python -m tests.benchmarks.bench_planted_rules [--out FOLDER] [--plant ID ...]`: 32 behaviours in 4 strengths, some of
them also with triggers, on 450 bundled prompts; about five minutes on one free core. It shows what the method and the
statistics can do if the LLM makes no errors: the scripted LLM, made of rules, sees every planted behaviour.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from diffing.bench.planted.catalogue import select_behaviours
from diffing.bench.planted.grid import STRENGTHS, GridSetup, plants_of, run_grid
from diffing.bench.planted.recall_tables import ResultText, as_markdown, save
from diffing.methods.llm import LlmMethod
from diffing.pipeline import DiffOptions
from diffing.prompts import load_prompts
from diffing.types import Prompt
from tests.benchmarks.page import RESULTS
from tests.servers.behaviours import CatalogueLLM, obedient_model
from tests.servers.rules import in_process

GROUPS = {
    "advice": ("emotional-support", "health-advice", "law-advice", "money-advice", "relationships"),
    "writing": ("creative-writing", "instruction-constraints", "long-context", "roleplay", "summarise-and-edit"),
    "knowledge": ("coding", "facts", "maths", "multilingual"),
    "values": ("borderline-harmless", "false-premises-and-sycophancy", "identity", "opinions-and-politics"),
}
"""Broad domains, so that even a behaviour on a third of a domain's prompts can be found."""
TRAIN, HELDOUT = 300, 150
TRIGGERED = 2
"""One of this many behaviours is also planted in one domain and after one phrase."""


def prompts_in_groups(train: int = TRAIN, heldout: int = HELDOUT) -> tuple[Prompt, ...]:
    """Loads bundled prompts of version 1, with the four broad domains; about a quarter of them asks for advice."""
    broad = {domain: group for group, domains in GROUPS.items() for domain in domains}
    loaded = load_prompts("bundled@1", train=train, heldout=heldout, balance="none")
    return tuple(replace(prompt, domain=broad.get(prompt.domain or "", "values")) for prompt in loaded)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--plant", action="append", default=[])
    options = parser.parse_args()
    prompts = prompts_in_groups()
    llm = in_process(CatalogueLLM(prompts))
    method = LlmMethod(llm, embedder="tfidf")
    setup = GridSetup(obedient_model(), prompts, (method,), llm, DiffOptions(sample_b=1))
    behaviours = select_behaviours(options.plant)
    plants = plants_of(behaviours, STRENGTHS, ("always",), setup)
    plants += plants_of(behaviours[::TRIGGERED], STRENGTHS[:2], ("domain", "phrase"), setup)

    def tell(stage: str, done: int, total: int) -> None:
        if stage == "plants":
            print(f"\r{done}/{total}", end="", flush=True)

    scored = run_grid(plants, setup, tell)
    text = ResultText(
        title="Planted by system prompt in an obedient model, found by an LLM of rules",
        command="python -m tests.benchmarks.bench_planted_rules",
        about=(
            "A scripted model does exactly what the instructions of the catalogue say, on the prompts that strength "
            "and trigger select; otherwise both sides give plain answers with the same random variations. The LLM that "
            "describes and judges is made of rules: it sees every behaviour and makes no errors. So this shows what "
            "the method's clustering and the test on held-out prompts can do with a perfect LLM, and with how few "
            "prompts nothing can be found. Each behaviour has its own run; every second one was also planted in one "
            "domain (a quarter of the prompts) and after one phrase (a third of them)."
        ),
        settings={"train": TRAIN, "heldout": HELDOUT, "embedder": "tfidf", "prompts": "bundled, in four broad domains"},
    )
    for path, result in save(scored, text, options.out, "planted-rules"):
        print(f"\n{path}\n{as_markdown(result)}")


if __name__ == "__main__":
    main()
