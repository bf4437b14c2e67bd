"""Gets the sparse dictionaries of a run: trains them on the run's texts, or opens a published crosscoder."""

from dataclasses import dataclass
from pathlib import Path

from diffing.methods.crosscoder.crosscoder_options import CrosscoderOptions
from diffing.methods.crosscoder.dictionaries import Dictionaries, latent_use
from diffing.methods.crosscoder.latent_facts import latent_facts
from diffing.methods.crosscoder.normaliser import NORMALISER_ROWS
from diffing.methods.crosscoder.published.weights_in_order import OrderedWeights, fit
from diffing.methods.crosscoder.run_training import train_dictionaries, train_null
from diffing.methods.crosscoder.training_choice import chosen_device, prepare
from diffing.methods.inside.pair_reading import InsidePair
from diffing.methods.inside.texts import TrainingTexts
from diffing.methods.inside.training_rows import TrainingRows
from diffing.types import OnProgress


@dataclass(frozen=True, slots=True)
class ObtainedDictionaries:
    """The dictionaries and where they come from."""

    dictionaries: Dictionaries
    """The dictionaries."""
    origin: str
    """The beginning of a sentence about them, up to the activations of both models."""
    trained_rows: int | None = None
    """The number of rows that they were trained on; None for a published crosscoder, whose files do not tell."""
    null: Dictionaries | None = None
    """Those of the same training with A against itself; None if that was not done."""
    notes: tuple[str, ...] = ()
    """Warnings for the reader of the report."""


def train_here(
    pair: InsidePair, texts: TrainingTexts, options: CrosscoderOptions, folder: Path, on_progress: OnProgress
) -> ObtainedDictionaries:
    """Trains the dictionaries.

    Raises:
        SettingError: The texts do not suffice, or the state of a training is damaged.
        ModelError: The training is too large for a CPU, or a model cannot be read.
    """
    prepared = prepare(pair, texts, options)
    settings, rows = prepared.settings, prepared.rows
    dictionaries = train_dictionaries(settings, rows, folder, on_progress)
    null = train_null(settings, rows, folder, on_progress) if options.null else None
    latents = dictionaries.crosscoder.latents
    origin = f"A crosscoder of {latents:,} latents was trained on {settings.rows:,} rows of activations"
    return ObtainedDictionaries(dictionaries, origin, settings.rows, null, prepared.notes)


def open_published(pair: InsidePair, texts: TrainingTexts, ordered: OrderedWeights, seed: int) -> ObtainedDictionaries:
    """Opens a published crosscoder for the run's models.

    Raises:
        SettingError: No train response can be read by both models.
        ModelError: It does not describe the models, or a model cannot be read.
    """
    pair.calibrate(texts.exchanges)
    rows = TrainingRows(pair, texts, NORMALISER_ROWS, seed=seed)
    crosscoder = fit(ordered, rows, same_space=pair.same_space, device=chosen_device())
    difference = ordered.published.difference.to(chosen_device()) if ordered.published.difference else None
    use = latent_use(difference, rows) if difference else None
    dictionaries = Dictionaries(crosscoder, difference, latent_facts(crosscoder, rows), use)
    origin = f"The published crosscoder {ordered.published.identity} of {crosscoder.latents:,} latents read activations"
    return ObtainedDictionaries(dictionaries, origin, notes=(ordered.unchecked,) if ordered.unchecked else ())
