"""The command `diffing prompts export`: writes the prompts of a run as input files for another engine's batch job."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from diffing.cli.flags import build, with_flags
from diffing.config import DiffConfig
from diffing.errors import SettingError
from diffing.model_ref import ModelPlace, ModelRef
from diffing.paths import path_of
from diffing.settings import described
from diffing.types import SIDES

_REPEATED = ("domain", "prompt_column", "language", "train", "heldout", "balance", "seed")
"""The settings that decide which prompts a run has. They are repeated when the answers are compared, which are joined
with their prompts by the ids."""
prompts_app = typer.Typer(help="Write the prompts of a run to files.", no_args_is_help=True)


@prompts_app.callback()
def _prompts() -> None:
    """Write the prompts of a run to files."""


@prompts_app.command("export")
@with_flags(DiffConfig)
def export_prompts(
    *,
    out: Annotated[
        Path,
        typer.Option("--out", parser=path_of, metavar="PATH", help="Folder for the two files.", show_default=False),
    ],
    **values: Any,
) -> None:
    """Write the requests of a run as batch files (OpenAI's format, which vLLM reads), one for each model.

    Have an engine answer them, then compare its output files as recorded responses. The command prints both steps.
    """
    from diffing.atomic_write import write_atomically
    from diffing.config import sampling_of
    from diffing.models.batch_requests import BatchSide, request_lines
    from diffing.run_prompts import load_run_prompts

    config = build(DiffConfig, values)
    if config.pool or config.suspect:
        raise SettingError(
            "--pool and --suspect choose prompts by asking models, which a batch job does later. Leave them out"
        )
    prompts = load_run_prompts(config, [])
    drawn = sampling_of(config)
    sides = {
        "a": BatchSide(config.model_a, config.system_prompt_a, replace(drawn, sample=config.sample_a)),
        "b": BatchSide(config.model_b, config.system_prompt_b, replace(drawn, sample=config.sample_b)),
    }
    for name, side in sides.items():
        lines = (f"{line}\n".encode(errors="replace") for line in request_lines(prompts, side))
        write_atomically(lines, out / f"{name}.requests.jsonl", make_folder=True)
    print(f"{len(prompts)} requests for each model. Have them answered, for example by vLLM:")
    for name, side in sides.items():
        files = ["-i", str(out / f"{name}.requests.jsonl"), "-o", str(out / f"{name}.answers.jsonl")]
        print(f"  {shlex.join(['vllm', 'run-batch', *files, '--model', side.model])}")
    print(f"Then compare the answers:\n  {shlex.join(_comparison(config, out))}")


def _comparison(config: DiffConfig, out: Path) -> list[str]:
    """The command that compares the answers, with the same prompts."""
    answers = [ModelRef(ModelPlace.RECORDED, str(out / f"{side}.answers.jsonl")) for side in SIDES]
    command = ["diffing", "run", *map(str, answers), "--prompts", config.prompts or "bundled"]
    for name, info in described(DiffConfig).items():
        value = getattr(config, name)
        if name in _REPEATED and value != info.default and value:
            command += [part for each in (value if info.several else (value,)) for part in (info.flag, str(each))]
    return command
