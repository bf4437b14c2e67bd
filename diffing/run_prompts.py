"""Gets the prompts of a run: from a dataset, from recorded responses, or selected or written to show differences."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from diffing.config import DiffConfig, columns_of
from diffing.errors import SettingError
from diffing.model_ref import is_recorded
from diffing.models import LoadOptions, Model, load_model
from diffing.models.system_prompt import WithSystemPrompt
from diffing.prompt_selection.selected import SelectedPrompts
from diffing.run_settings import draws_bundled
from diffing.types import SIDES, OnProgress, Prompt, Side, ignore_progress

if TYPE_CHECKING:
    from diffing.models.recorded import RecordedModel


def prompts_of(
    config: DiffConfig, models: tuple[Model, Model], llm: Model | None, on_progress: OnProgress = ignore_progress
) -> SelectedPrompts:
    """The prompts of a run, with notes on how they were chosen.

    Args:
        config: The configuration of the run.
        models: Models A and B, including their system prompts.
        llm: The LLM that writes prompts if the configuration has `suspect`.
        on_progress: Called after every answer that the selection needs.

    Raises:
        DiffingError: There are no usable prompts, or a model cannot be used.
    """
    if config.suspect and llm is not None:
        from diffing.prompt_selection import write_prompts

        return write_prompts(
            llm,
            config.suspect,
            train=config.train,
            heldout=config.heldout,
            seed=config.seed,
            on_progress=on_progress,
        )
    inner = [model.model if isinstance(model, WithSystemPrompt) else model for model in models]
    prompts = load_run_prompts(config, inner)
    notes = _notes_on_recordings(inner, config)
    if config.pool is None:
        return SelectedPrompts(prompts, (*notes, *_notes_on_balance(prompts, config)), ())
    selected = _selected(config, models, prompts, on_progress)
    return replace(selected, notes=(*notes, *selected.notes))


def _selected(
    config: DiffConfig, models: tuple[Model, Model], pool: Sequence[Prompt], on_progress: OnProgress
) -> SelectedPrompts:
    from diffing.methods.llm.embedders import load_embedder
    from diffing.prompt_selection import choose_prompts
    from diffing.prompt_selection.pool import score_responses, score_tokens

    embedder, remark = load_embedder(config.embedder, config.seed)
    train = [prompt for prompt in pool if prompt.split == "train"]
    if config.pool_by == "tokens":
        scored = score_tokens(models, train)
    else:
        sampling = config.sampling
        samples = (replace(sampling, sample=config.sample_a), replace(sampling, sample=config.sample_b))
        scored = score_responses(models, samples, train, embedder, on_progress)
    chosen = choose_prompts(pool, scored, embedder, train=config.train, heldout=config.heldout)
    return replace(chosen, notes=(*chosen.notes, *((remark,) if remark else ())))


def pool_sizes(config: DiffConfig) -> tuple[int, int]:
    """How many train and held-out prompts to load: those of the run, or those of its pool in the same proportion."""
    if config.pool is None:
        return config.train, config.heldout
    heldout = round(config.pool * config.heldout / (config.train + config.heldout))
    return config.pool - heldout, heldout


def load_run_prompts(config: DiffConfig, models: Sequence[Model]) -> tuple[Prompt, ...]:
    """Loads the prompts of a run: from the given source, else from a recorded model, else the bundled ones.

    Raises:
        SettingError: There are no usable prompts, or two recorded models do not answer the same prompts.
    """
    from diffing.models.recorded import RecordedModel, common_prompts
    from diffing.prompts import load_prompts, prompts_from

    train, heldout = pool_sizes(config)
    recorded = [model for model in models if isinstance(model, RecordedModel)]
    if config.prompts or not recorded:
        prompts = load_prompts(
            config.prompts or "bundled",
            train=train,
            heldout=heldout,
            column=config.prompt_column,
            language=config.language,
            domains=config.domain,
            seed=config.seed,
            balance=config.balance,
        )
        return _joined(prompts, recorded)
    if config.domain or config.language or config.prompt_column:
        raise SettingError("--domain, --language and --prompt-column choose among prompts. Give them with --prompts")
    records = common_prompts(recorded, only_common=config.only_common)
    source = " + ".join(dict.fromkeys(model.id for model in recorded))
    return prompts_from(records, source, train, heldout, seed=config.seed, exact=True, balance=config.balance)


def _joined(prompts: tuple[Prompt, ...], recorded: Sequence["RecordedModel"]) -> tuple[Prompt, ...]:
    """Gives the prompts' texts to recordings that store only the ids of their prompts."""
    for model in recorded:
        model.join_by_id({prompt.id: prompt.messages for prompt in prompts})
    return prompts


def recorded_of(config: DiffConfig) -> dict[Side, Model]:
    """Opens those of the two models that are recorded, which costs nothing; they bring prompts of their own."""
    sides = zip(SIDES, (config.model_a, config.model_b), strict=True)
    return {
        side: load_model(spec, options=LoadOptions(columns=columns_of(config, side)), cache=None)
        for side, spec in sides
        if is_recorded(spec)
    }


def _notes_on_recordings(models: Sequence[Model], config: DiffConfig) -> tuple[str, ...]:
    """Notes on the format of recorded responses, and on prompts left out because only one side has them."""
    from diffing.models.recorded import RecordedModel

    recorded = [model for model in models if isinstance(model, RecordedModel)]
    remarks = tuple(dict.fromkeys(model.shape.remark for model in recorded if model.shape.remark))
    if not config.only_common or config.prompts or len(recorded) < 2:
        return remarks
    own = [{messages for _, messages, _ in model.prompts()} for model in recorded]
    one_sided = len(set.symmetric_difference(*own))
    left_out = f"{one_sided} recorded prompts were left out: only one of the two sides has them."
    return (*remarks, left_out) if one_sided else remarks


def _notes_on_balance(prompts: Sequence[Prompt], config: DiffConfig) -> tuple[str, ...]:
    """A note that overall shares are those of an even mix of domains, if an even draw left out prompts.

    The bundled set needs none: it is no sample of anything, and its domains have nearly equal sizes.
    """
    domains = {prompt.domain for prompt in prompts}
    sizes = Counter(prompt.split for prompt in prompts)
    all_drawn = sizes["train"] < config.train and sizes["heldout"] < config.heldout
    if config.balance == "none" or len(domains) < 2 or all_drawn or draws_bundled(asdict(config)):
        return ()
    return (
        f"Prompts were drawn evenly over {len(domains)} domains. Overall shares are those of such a mix of prompts, "
        "not of the whole source.",
    )
