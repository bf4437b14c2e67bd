"""Scores the methods on planted differences in tiny models, offline: `python -m tests.benchmarks.planted --tiny`.

The models are the demo pair and models tuned from its base, which takes about seven minutes the first time. With
`--inside` the methods that look inside both models are scored on the same responses, in runs of their own.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from diffing.bench.planted.recall_tables import ResultText, results_of
from diffing.cli.bench.printing import show_planted
from diffing.cli.commands import main
from diffing.cli.progress import progress_bars
from diffing.cli.shared_options import Cache
from diffing.models.cache import Store, default_store
from diffing.paths import path_of
from tests.benchmarks.planted.tiny import inside_methods, reading_methods, score_tiny

commands = typer.Typer(add_completion=False)
_TINY = "python -m tests.benchmarks.planted --tiny"
TINY_TEXTS = {
    "demo": ResultText(
        title="The embedded demo pair",
        command=_TINY,
        about="Two tiny models that come with the package, with 14 differences planted by training; 440 train and 220 "
        "held-out prompts, sampled responses. A measured finding that is not planted counts as real if it shows again, "
        "significantly and on the same side, in newly sampled responses.",
        settings={"train": 440, "heldout": 220, "temperature": 0.8},
    ),
    "tiny": ResultText(
        title="Tiny models tuned towards planted behaviours",
        command=_TINY,
        about="The tiny base model of the demo is tuned to add a sentence that shows a behaviour, in the share of the "
        "triggered answers that the strength gives: four models, one per strength, each with the same eight "
        "behaviours. Four show always, two in one domain each (an eleventh of the prompts) and two after a phrase each "
        "(about a seventh). 440 train and 220 held-out prompts, responses sampled from the whole distribution; the SAE "
        "of the demo reads with the base model. A measured finding that is not planted counts as real if it shows "
        "again, significantly and on the same side, in newly sampled responses, because tuning also changes what was "
        "not planted. Shown is the share of the prompts on which the models really show the behaviour.",
        settings={"train": 440, "heldout": 220, "temperature": 1.0},
    ),
}
"""The titles and explanations of the tables that `--tiny` makes."""
INSIDE = (
    "Here the methods are those that look inside both models: crosscoders of 512 latents with a dictionary of the "
    "differences, read after block 3 of 4, and adapters of 96 features per block, trained on the train responses. "
    "Features have no words of their own without an LLM: where all behaviours show in nearly every response, only a "
    "feature's strongest tokens can name one, and these are pieces of words that the tiny tokenizer does not know."
)
"""What the tables say in addition that `--inside` makes."""


@commands.command()
def planted(
    *,
    tiny: Annotated[bool, typer.Option("--tiny", help="Take the tiny models, the only ones so far.")] = True,
    tuned: Annotated[
        Path, typer.Option("--tuned", parser=path_of, metavar="PATH", help="Folder of the tuned models.")
    ] = Path("runs/planted-tiny"),
    inside: Annotated[bool, typer.Option("--inside", help="Score the methods that look inside both models.")] = False,
    cache: Cache = None,
    out: Annotated[
        Path | None, typer.Option("--out", parser=path_of, metavar="PATH", help="Keep the results in this folder.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables as Markdown.")] = False,
) -> None:
    """Score what the methods find in the demo pair and in tiny models tuned towards behaviours."""
    store = Store.in_folder(cache) if cache else default_store()
    with progress_bars(Console(stderr=True)) as on_progress:
        scored = score_tiny(tuned, store, inside_methods if inside else reading_methods, on_progress)
    for name, runs in scored.items():
        text = _about_inside(TINY_TEXTS[name]) if inside else TINY_TEXTS[name]
        show_planted(results_of(runs, text), out, f"planted-{name}{'-inside' if inside else ''}", markdown)


def _about_inside(text: ResultText) -> ResultText:
    return replace(
        text,
        title=f"{text.title}, looked inside",
        command=f"{text.command} --inside",
        about=f"{text.about} {INSIDE}",
    )


if __name__ == "__main__":
    main(commands=commands)
