"""Prepares the model with which the adapters method reads responses: trains its features, or loads published ones."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diffing.errors import ModelError
from diffing.methods.adapters.branches import AdapterBranches, new_branches
from diffing.methods.adapters.cost import CHATS, TOKENS, check_cpu, training_operations
from diffing.methods.adapters.hybrid import Hybrid
from diffing.methods.adapters.hybrid_opening import BaseAndTuned
from diffing.methods.adapters.hybrid_reader import HybridReader
from diffing.methods.adapters.kept_branches import keep, kept
from diffing.methods.adapters.published_adapters import read_published
from diffing.methods.adapters.tensor_files import ByteRanges, HubRanges, open_files
from diffing.methods.adapters.training import BranchTrainingSettings, Trainer
from diffing.methods.adapters.training_chats import TrainingChats, collect_chats
from diffing.methods.adapters.trust import measure_trust
from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.methods.inside.checkpoint import TrainingCheckpoint
from diffing.methods.inside.corpus import Corpus
from diffing.methods.inside.side_models import ResidualShape
from diffing.model_ref import ModelPlace, ModelRef

_CHECKED_ON = 64
"""The number of train chats on which published adapters are checked."""


@dataclass(frozen=True, slots=True)
class AdapterOptions:
    """How branches are made."""

    published: str | None = None
    """Published adapters, as `org/name[@revision]` or a folder, instead of training."""
    features: int | None = None
    """The number of features of each block; None is twice the width of the model."""
    tokens: int = TOKENS
    """The number of tokens to train on; a chat is trained on at most four times."""
    sparsity: float = 1e-3
    """The weight of the sparsity loss at the beginning (lambda)."""
    seed: int = 0
    """The seed of the first weights, of the order of chats and of the cuts."""
    chats: int = field(default=CHATS, kw_only=True)
    """The number of chats of each step."""


def published_reader(
    pair: BaseAndTuned, published: str, exchanges: Sequence[Exchange], folder: Path | None
) -> HybridReader:
    """Opens published adapters and checks that they belong to the two models.

    Args:
        pair: The models.
        published: `org/name[@revision]` or a folder.
        exchanges: The train responses of both sides.
        folder: Where what was fetched from the Hub is kept, so that it is fetched once; None keeps nothing.

    Raises:
        ModelError: The files hold no adapters, or those of other models.
        HubError: The Hub refuses or cannot be reached.
    """
    shape = pair.tuned.shape
    files = open_files(published)
    reader = _reader(pair, _fetched(files, shape, folder))
    texts = [reader.chat(exchange) for exchange in exchanges]
    chats = [text for text in texts if not isinstance(text, UnreadableResponse) and text.tokens]
    reader.calibrate(chats)
    trust = measure_trust(reader.hybrid, chats[:: max(len(chats) // _CHECKED_ON, 1)][:_CHECKED_ON])
    if trust.hybrid >= trust.without_branches:
        raise ModelError(
            f"The adapters {files.name} do not bring {pair.base.id} closer to {pair.tuned.id} (KL "
            f"{trust.hybrid:.3g} with them, {trust.without_branches:.3g} without): they were made for other models. "
            "Name the base as A and the tuned model as B, or leave --adapters out to train some"
        )
    return reader


def _fetched(files: ByteRanges, shape: ResidualShape, folder: Path | None) -> AdapterBranches:
    """Reads the branches of published adapters; those of a commit of the Hub are kept and not fetched again."""
    if folder is None or not isinstance(files, HubRanges):
        return read_published(files, shape.blocks, shape.width)
    source = str(ModelRef(ModelPlace.HUB, files.name, files.commit))
    training = folder / hashlib.sha256(source.encode()).hexdigest()[:16]
    found = kept(training, source, shape.blocks, shape.width)
    if found is None:
        found = read_published(files, shape.blocks, shape.width)
        keep(found, training, source, {"fetched": source})
    return found


def trained_reader(
    pair: BaseAndTuned,
    options: AdapterOptions,
    exchanges: Sequence[Exchange],
    corpora: Sequence[Corpus],
    folder: Path | None,
    on_step: Callable[[int, int], None],
) -> HybridReader:
    """Trains branches, goes on with a training that was interrupted, or opens those of a finished one.

    Args:
        pair: The models.
        options: How the branches are made.
        exchanges: The train responses of both sides.
        corpora: Texts from elsewhere.
        folder: Where trainings are kept; None keeps none.
        on_step: Called with the number of steps done and of all.

    Raises:
        SettingError: No text can be read, or a checkpoint cannot be used.
        ModelError: The models cannot be loaded, or training would take too long on a CPU.
    """
    shape = pair.tuned.shape
    features = options.features or 2 * shape.width
    reader = _reader(pair, new_branches(shape.blocks, shape.width, features, options.seed))
    chats = collect_chats(exchanges, corpora, reader.chat, tokens=options.tokens, per_step=options.chats)
    settings = BranchTrainingSettings(chats.steps, options.chats, options.sparsity, seed=options.seed)
    identity = _identity(pair, chats, settings, features)
    training = folder / identity[:16] if folder else None
    found = kept(training, identity, shape.blocks, shape.width) if training else None
    if found is not None:
        reader.branches = found  # before the hybrid is made
    else:
        if reader.hybrid.device.type == "cpu":
            check_cpu(training_operations(parameters_of(reader.hybrid), chats.tokens))
        checkpoint = TrainingCheckpoint(training / "adapters.safetensors", identity) if training else None
        Trainer(reader.hybrid, chats.chats, settings).run(checkpoint, on_step)
        if training and checkpoint:
            keep(reader.hybrid.branches, training, identity, _told(pair, chats, settings, features))
            checkpoint.delete()
    reader.calibrate(chats.chats)
    return reader


def _reader(pair: BaseAndTuned, branches: AdapterBranches) -> HybridReader:
    return HybridReader(branches, pair.hybrid, pair.tuned.tokens, pair.tuned.system_prompt)


def _told(pair: BaseAndTuned, chats: TrainingChats, settings: BranchTrainingSettings, features: int) -> dict[str, Any]:
    """What a kept training says of itself."""
    return {
        "source": {"models": [pair.base.id, pair.tuned.id], "texts": chats.identity},
        "features": features,
        "steps": settings.steps,
        "chats": settings.chats,
        "sparsity": settings.sparsity,
        "rate": settings.rate,
        "seed": settings.seed,
        "tokens": chats.tokens,
    }


def parameters_of(hybrid: Hybrid) -> int:
    """The number of parameters of one of the two models."""
    return sum(weight.numel() for weight in hybrid.base.parameters())


def _identity(pair: BaseAndTuned, chats: TrainingChats, settings: BranchTrainingSettings, features: int) -> str:
    """A hash of everything that decides the trained weights."""
    numbers = [settings.steps, settings.chats, settings.sparsity, settings.rate, settings.seed, settings.batch_tokens]
    parts = [pair.base.id, pair.tuned.id, pair.tuned.system_prompt, chats.identity, features, numbers]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
