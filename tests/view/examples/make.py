"""Makes the examples of the start page anew: `python -m tests.view.examples.make [--only key] [--models FOLDER]`.

Takes about a minute, and with the folder of real models some minutes more for each of theirs. Same versions give the
same bytes: all compute in float32, also where bfloat16 is fast. Look at the diff of each `report.json`, and at the
examples in the result view, before they are committed.
"""

import argparse
import logging
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from diffing.config import DiffConfig, settings_of
from diffing.demo.config import demo_config
from diffing.methods.lexical import LexicalMethod
from diffing.methods.llm import LlmMethod
from diffing.models.cache import Store
from diffing.outputs.html.planted_checklist import TABLE
from diffing.pipeline import DiffOptions, diff_models
from diffing.report import save_report
from diffing.run import ModelBuilder, run
from diffing.run_prompts import load_run_prompts
from diffing.types import Report
from diffing.view.examples import example_folder
from tests.view.examples.cards import store_cards
from tests.view.examples.checklist import checklist
from tests.view.examples.real import REAL, real_makers
from tests.view.examples.stand_in import OVERLOOKS, StandIn

log = logging.getLogger(__name__)

RULES = StandIn("rules-not-an-llm", misreads=0.03)
OTHER_RULES = StandIn("other-rules-not-an-llm", misreads=0.08)
NOTE = (
    "No LLM took part in this result: a rule-based program took its place. scripted:rules-not-an-llm described the "
    "differences, stated and judged the hypotheses of the method llm, and rated all hypotheses; "
    "scripted:other-rules-not-an-llm checked its verdicts and rated as well. The rules know the planted differences by "
    "their marks and rate by a table. On purpose they overlook "
    f"{OVERLOOKS:.0%} of the differences and misread {RULES.misreads:.0%} and {OTHER_RULES.misreads:.0%} of the "
    "verdicts. This shows what such a result looks like, not what an LLM would say."
)


def planted(store: Store) -> Report:
    """What `diffing demo` does, with the checklist of what was planted."""
    report = run(demo_config(), store=store)
    return replace(report, tables={**report.tables, TABLE: checklist(report)})


def rules_config() -> DiffConfig:
    """What the settings of the example with the stand-in say; no such model can be named to a run."""
    llm, other = (f"scripted:{each.name}" for each in (RULES, OTHER_RULES))
    return replace(
        demo_config(), method=("lexical", "llm"), reader=None, sae=None, features=None, embedder="tfidf",
        llm=llm, second_judge=other, rater=(llm, other),
    )  # fmt: skip


def rules(store: Store) -> Report:
    """The demo's models and prompts with the method llm, in which rules stand in for the LLM."""
    config = rules_config()
    build = ModelBuilder(config, store, None)
    judge, second = RULES.model, OTHER_RULES.model
    return diff_models(
        build.side("a"),
        build.side("b"),
        load_run_prompts(config, ()),
        methods=[LexicalMethod(), LlmMethod(judge, embedder=config.embedder, seed=config.seed)],
        judge=judge,
        second_judge=second,
        raters=[judge, second],
        options=DiffOptions(sampling=config.sampling, settings=settings_of(config), notes=(NOTE,)),
    )


def itself_config() -> DiffConfig:
    """The base model of the demo and a second sample of it."""
    config = demo_config()
    return replace(config, model_b=config.model_a, sample_b=1)


def itself(store: Store) -> Report:
    """One model against itself."""
    return run(itself_config(), store=store)


MAKERS: Mapping[str, Callable[[Store], Report]] = {"planted": planted, "rules": rules, "itself": itself}
"""By the keys of the examples."""


def main() -> None:
    """Makes those that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[*MAKERS, *REAL], action="append", help="may be given several times")
    parser.add_argument("--models", type=Path, help="the folder that tests.benchmarks.real_models made")
    parser.add_argument("--cache", type=Path, help="keeps the responses there; else they are made anew")
    asked = parser.parse_args()
    makers = {**MAKERS, **(real_makers(asked.models) if asked.models else {})}
    keys = asked.only or list(makers)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    exact = patch("diffing.models.local.memory.fast_bfloat16", return_value=False)
    with tempfile.TemporaryDirectory() as folder, exact:
        store = Store((asked.cache or Path(folder)) / "completions.sqlite")
        for key in keys:
            where = save_report(makers[key](store), example_folder(key))
            size = sum(path.stat().st_size for path in where.iterdir())
            log.info("%s: %s KB", key, f"{size / 1000:,.0f}")
    store_cards()


if __name__ == "__main__":
    main()
