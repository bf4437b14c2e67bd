"""Chooses the training settings that suit a run's models and texts, and refuses a training that cannot succeed."""

from dataclasses import dataclass

from diffing.methods.crosscoder.cost import TrainingCost
from diffing.methods.crosscoder.crosscoder_options import CrosscoderOptions
from diffing.methods.crosscoder.training_settings import (
    DictionarySource,
    DictionaryTrainingSettings,
    check_rows,
    default_settings,
    default_size,
)
from diffing.methods.inside.pair_reading import InsidePair
from diffing.methods.inside.texts import TrainingTexts
from diffing.methods.inside.training_rows import TrainingRows

_SHAPE_PARAMETERS = 12
"""Parameters of a block, in squares of its width: 4 of attention and 8 of the MLP."""


@dataclass(frozen=True, slots=True)
class TrainingPreparation:
    """What a training needs."""

    settings: DictionaryTrainingSettings
    """What is trained."""
    rows: TrainingRows
    """The activations that it is trained on."""
    notes: tuple[str, ...]
    """Warnings for the reader of the report."""


def prepare(pair: InsidePair, texts: TrainingTexts, options: CrosscoderOptions) -> TrainingPreparation:
    """Calibrates the pair and chooses the settings; warns if there is little to train on.

    Args:
        pair: The two models.
        texts: What they read.
        options: The options of the method.

    Raises:
        SettingError: There are far too few rows.
        ModelError: The training is too large for a CPU, or a model cannot be read.
    """
    size, wanted = default_size(pair.widths)
    latents, device = options.latents or size, chosen_device()
    rows = TrainingRows(pair, texts, wanted, seed=options.seed)
    if device == "cpu":
        a, b = (_SHAPE_PARAMETERS * side.shape.width**2 * side.layer for side in pair.sides)
        TrainingCost((a, b), pair.widths, latents, rows.rows).check_cpu()
    warning = check_rows(latents, rows.rows)
    pair.calibrate(texts.exchanges)
    ids = pair.sides[0].id, pair.sides[1].id
    settings = default_settings(
        DictionarySource(ids, ids, pair.layers, rows.identity),
        pair.widths,
        same_space=pair.same_space,
        latents=latents,
        rows=rows.rows,
        seed=options.seed,
        device=device,
    )
    return TrainingPreparation(settings, rows, (f"{warning}.",) if warning else ())


def chosen_device() -> str:
    """Returns where dictionaries are trained and read."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
