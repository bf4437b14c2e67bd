"""Trains adapters: sparse features with which the base's MLPs give the predictions of the tuned model.

Source: arXiv 2602.20904. Two additions: the weight of sparsity is doubled as long as too many features are active, and
the branches are in float32 whatever the type of the models.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from diffing.methods.adapters.chat_batches import ChatBatch, chats_of_step, padded, read_positions
from diffing.methods.adapters.cost import CHATS
from diffing.methods.adapters.divergence import divergence
from diffing.methods.adapters.hybrid import ForwardPass, Hybrid
from diffing.methods.inside.checkpoint import TrainingCheckpoint, TrainingState
from diffing.methods.inside.response_tokens import TokenizedResponse
from diffing.methods.inside.text_batches import by_length

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class BranchTrainingSettings:
    """The settings of training, apart from the models and the chats."""

    steps: int
    """The number of steps."""
    chats: int = CHATS
    """The number of chats of each step."""
    sparsity: float = 1e-3
    """The weight of the sparsity loss at the beginning (lambda)."""
    rate: float = 8e-4
    """The learning rate after the warm-up."""
    seed: int = 0
    """The seed of the first weights, of the order of chats and of the cuts."""
    batch_tokens: int = 8192
    """The largest number of tokens with padding that run at a time; a step's gradients are summed over its batches."""

    @property
    def period(self) -> int:
        """The number of steps between two decisions on the weight of sparsity, and of the warm-up: 5%."""
        return max(self.steps // 20, 1)

    def rate_at(self, step: int) -> float:
        """The learning rate of a step: a linear warm-up, then a cosine to 0."""
        if step < self.period:
            return self.rate * (step + 1) / self.period
        done = (step - self.period) / max(self.steps - self.period, 1)
        return self.rate * 0.5 * (1 + math.cos(math.pi * done))


@dataclass(slots=True)
class TrainingProgress:
    """How far training has come, apart from the weights and the optimiser's state."""

    step: int
    """The number of steps done."""
    sparsity: float
    """The current weight of the sparsity loss."""
    active: float = 0.0
    """The features active at read positions, summed over blocks, since the last decision on that weight."""
    positions: int = 0
    """The number of read positions since then."""
    loss: float = 0.0
    """The sum of the steps' losses since then, without that of sparsity."""
    density: float = 0.0
    """The sum of the steps' sparsity losses since then, without their weight."""


@dataclass(slots=True)
class BranchLosses:
    """The parts of the loss of one step."""

    predictions: float = 0.0
    """KL(tuned || hybrid), mean over read positions."""
    cuts: float = 0.0
    """The KL of both halves' combinations at the step's cut."""
    streams: float = 0.0
    """The relative squared error of the residual stream, mean over blocks and tokens."""
    sparsity: float = 0.0
    """The sum over blocks of the mean over tokens of activation times norm, without its weight."""


_CUTS_WEIGHT = 2.0
_SPARSITY_SHARE = 0.1
"""The largest share of the rest of the loss that sparsity may cost by a doubled weight."""


@dataclass(slots=True)
class Trainer:
    """Trains the branches of a hybrid in place.

    Args:
        hybrid: The hybrid, whose branches are new or those of an interrupted training.
        chats: The chats to train on.
        settings: The settings of training.
    """

    hybrid: Hybrid
    chats: Sequence[TokenizedResponse]
    settings: BranchTrainingSettings
    progress: TrainingProgress = field(init=False)
    _optimiser: Any = field(init=False)
    _parameters: "list[Tensor]" = field(init=False)

    def __post_init__(self) -> None:
        import torch

        self.progress = TrainingProgress(0, self.settings.sparsity)
        self._parameters = self.hybrid.branches.tensors()
        for parameter in self._parameters:
            parameter.requires_grad_(True)
        self._optimiser = torch.optim.AdamW(self._parameters, lr=self.settings.rate, weight_decay=0.0)

    def run(
        self,
        checkpoint: TrainingCheckpoint | None = None,
        on_step: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """Trains up to the last step, from where an interrupted training was saved.

        Args:
            checkpoint: Where the state is kept; None keeps nothing.
            on_step: Called with the number of steps done and of all.

        Raises:
            SettingError: The checkpoint is damaged, belongs to another training, or cannot be written.
        """
        stored = None if checkpoint is None else checkpoint.load()
        if stored is not None:
            self._resume(stored)
        on_step(self.progress.step, self.settings.steps)
        while self.progress.step < self.settings.steps:
            self.step()
            on_step(self.progress.step, self.settings.steps)
            if checkpoint is not None and self.progress.step < self.settings.steps:
                checkpoint.save_if_due(self._state)
        if checkpoint is not None and not (stored and int(stored.numbers["step"]) == self.settings.steps):
            checkpoint.save(self._state())
        for parameter in self._parameters:
            parameter.requires_grad_(False)

    def step(self) -> BranchLosses:
        """Does one step; returns the parts of its loss."""
        import torch

        step, settings = self.progress.step, self.settings
        chats = chats_of_step(self.chats, step, settings.chats, settings.seed)
        self._optimiser.zero_grad()
        losses = self._accumulate(chats, random.Random(f"{settings.seed}:{step}"))
        torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
        self._optimiser.param_groups[0]["lr"] = settings.rate_at(step)
        self._optimiser.step()
        self.progress.step += 1
        self.progress.loss += losses.predictions + _CUTS_WEIGHT * losses.cuts + losses.streams
        self.progress.density += losses.sparsity
        if self.progress.step % settings.period == 0:
            self._decide_on_sparsity()
        return losses

    def _accumulate(self, chats: Sequence[TokenizedResponse], chance: random.Random) -> BranchLosses:
        """Sums the gradients of a step's loss over its batches. Each part is undone before the next begins."""
        read, tokens = sum(map(read_positions, chats)), sum(len(chat.ids) for chat in chats)
        depth = self.hybrid.depth
        cut = chance.randrange(1, depth) if depth > 1 else None
        losses = BranchLosses()
        for group in by_length(chats, self.settings.batch_tokens, len(chats)):
            batch = padded([chats[index] for index in group]).to(self.hybrid.device)
            tuned = self._of_tuned(batch)
            self._whole(batch, tuned, read, tokens, losses)
            if cut is not None:
                below, above = (self.hybrid.cut(cut, *use) for use in (("adapted", "tuned"), ("tuned", "adapted")))
                for mlps in (below, above):
                    found = divergence(tuned.log_probabilities, self.hybrid.run(batch, mlps).log_probabilities) / read
                    (_CUTS_WEIGHT * found).backward()  # type: ignore[no-untyped-call]
                    losses.cuts += float(found.detach())
        return losses

    def _of_tuned(self, batch: ChatBatch) -> ForwardPass:
        import torch

        with torch.no_grad():
            return self.hybrid.run(batch, self.hybrid.uniform("tuned"))

    def _whole(self, batch: ChatBatch, tuned: ForwardPass, read: int, tokens: int, losses: BranchLosses) -> None:
        import torch

        passed = self.hybrid.run(batch, self.hybrid.uniform("adapted"))
        predictions = divergence(tuned.log_probabilities, passed.log_probabilities) / read
        streams = torch.zeros((), device=predictions.device)
        for own, other in zip(passed.leaving, tuned.leaving, strict=True):
            streams = streams + stream_errors(own, other, batch.present).sum().to(streams.device)
        streams = streams / (tokens * self.hybrid.depth)
        sparsity = torch.zeros((), device=predictions.device)
        for block, features in passed.features.items():
            written = features[batch.present.to(features.device)] @ self.hybrid.branches.blocks[block].norms()
            sparsity = sparsity + written.sum().to(sparsity.device) / tokens
        (predictions + streams + self.progress.sparsity * sparsity).backward()  # type: ignore[no-untyped-call]
        losses.predictions += float(predictions.detach())
        losses.streams += float(streams.detach())
        losses.sparsity += float(sparsity.detach())
        for features in passed.features.values():
            self.progress.active += float((features[batch.read.to(features.device)] > 0).sum())
        self.progress.positions += int(batch.read.sum())

    def _decide_on_sparsity(self) -> None:
        """Doubles the weight of sparsity if too many features are active and it costs little beside the rest.

        Too many is more than a sixteenth of a block's features at a read position. Without the second condition the
        weight doubles on while features need time to fall silent, and then outweighs what they are trained for.
        """
        one = self.progress
        active = one.active / (one.positions * self.hybrid.depth)
        dense = active > self.hybrid.branches.features / 16
        if dense and 2 * one.sparsity * one.density <= _SPARSITY_SHARE * one.loss:
            one.sparsity *= 2
        self.progress = TrainingProgress(one.step, one.sparsity)

    def _state(self) -> TrainingState:
        tensors: dict[str, Tensor] = {}
        for key, parameter in self.hybrid.branches.named():
            state = self._optimiser.state[parameter]
            tensors |= {key: parameter, f"{key}.mean": state["exp_avg"], f"{key}.square": state["exp_avg_sq"]}
        return TrainingState(tensors, asdict(self.progress))

    def _resume(self, stored: TrainingState) -> None:
        import torch

        one = stored.numbers
        self.progress = TrainingProgress(
            int(one["step"]), one["sparsity"], one["active"], int(one["positions"]), one["loss"], one["density"]
        )
        with torch.no_grad():
            for key, parameter in self.hybrid.branches.named():
                parameter.copy_(stored.tensors[key])
                self._optimiser.state[parameter] = {
                    "step": torch.tensor(float(self.progress.step)),
                    "exp_avg": stored.tensors[f"{key}.mean"].to(parameter.device),
                    "exp_avg_sq": stored.tensors[f"{key}.square"].to(parameter.device),
                }


def stream_errors(own: "Tensor", other: "Tensor", present: "Tensor") -> "Tensor":
    """The squared distance of residual streams over the squared norm of the tuned model's, at each token.

    Args:
        own: The hybrid's stream leaving one block, chats x length x width.
        other: The tuned model's, of the same shape.
        present: Chats x length: True at tokens, False at padding.
    """
    at = present.to(own.device)
    reference = other[at].float()
    errors: Tensor = (own[at].float() - reference).square().sum(-1) / reference.square().sum(-1).clamp(min=1e-12)
    return errors
