"""One training of a sparse dictionary: its weights, its loss, its optimizer, and all of its state for checkpoints."""

from collections.abc import Sequence

import torch  # noqa: TID253 - only training a dictionary imports this module
from torch import Tensor  # noqa: TID253

from diffing.methods.crosscoder.adam import Adam
from diffing.methods.crosscoder.batch_topk import ThresholdAverage, keep_largest
from diffing.methods.crosscoder.sparse_dictionary import DictionaryWeights, Inputs, Normaliser
from diffing.methods.crosscoder.training_schedule import TrainingSchedule
from diffing.methods.crosscoder.training_settings import DictionaryTrainingSettings
from diffing.methods.inside.checkpoint import TrainingState

_REVIVAL_WEIGHT = 1 / 32


class DictionaryOptimisation:
    """The state of a training and its step."""

    def __init__(self, settings: DictionaryTrainingSettings, widths: Sequence[int], normaliser: Normaliser) -> None:
        """Draws the first weights.

        Args:
            settings: The settings; a partition needs two inputs.
            widths: The width of every input.
            normaliser: That of the inputs.
        """
        self._settings = settings
        self._schedule = TrainingSchedule(settings)
        self.normaliser = normaliser.to(settings.device)
        """The normaliser of the inputs."""
        self._masks = _masks(settings, len(widths))
        self._parameters = _first_weights(settings, widths, self._masks)
        self._optimizer = Adam(self._parameters)
        self.threshold = ThresholdAverage(settings.device)
        """The moving average that becomes the dictionary's threshold."""
        self._silent = torch.zeros(settings.latents, dtype=torch.int64, device=settings.device)
        self.step = 0
        """The number of steps so far."""
        self.place = 0
        """The place in the stream of rows."""

    def weights(self) -> DictionaryWeights:
        """Returns the weights with the masks applied; gradients flow through them."""
        inputs = len(self._masks)
        bias, rest = self._parameters[0], self._parameters[1:]
        masked = [tensor * mask for tensor, mask in zip(rest[: 2 * inputs], self._masks * 2, strict=True)]
        return DictionaryWeights(tuple(masked[:inputs]), bias, tuple(masked[inputs:]), tuple(rest[2 * inputs :]))

    def take(self, raw: Inputs, place: int) -> None:
        """Takes one step with a batch of raw activations; the stream is then at `place`."""
        weights, inputs = self.weights(), self.normaliser(raw)
        codes = weights.codes(inputs)
        scores = (codes * weights.norms()).detach()
        kept, smallest = keep_largest(scores, self._schedule.kept(self.step))
        outputs = weights.decode(codes * kept)
        residuals = [each - output for each, output in zip(inputs, outputs, strict=True)]
        loss = torch.stack([_mean_square(residual) for residual in residuals]).sum()
        loss = loss + _REVIVAL_WEIGHT * self._revival_loss(weights, codes, scores, residuals)
        self._optimizer.step(loss, self._schedule.rate(self.step), self.step + 1)
        self._count(kept, smallest)
        self.step += 1
        self.place = place

    def _revival_loss(
        self, weights: DictionaryWeights, codes: Tensor, scores: Tensor, residuals: Sequence[Tensor]
    ) -> Tensor:
        """Lets the strongest silent latents reconstruct what is left, relative to its variance."""
        silent = (self._silent >= self._schedule.silent_rows).nonzero().flatten()
        if not len(silent):
            return codes.new_zeros(())
        codes, scores = codes[:, silent], scores[:, silent]
        most = residuals[0].shape[1] // 2
        if len(silent) > most:
            chosen = scores.topk(most, dim=1).indices
            codes = codes * torch.zeros_like(codes).scatter_(1, chosen, 1.0)
        targets = [residual.detach() for residual in residuals]
        errors = [target - codes @ decoder[silent] for target, decoder in zip(targets, weights.decoders, strict=True)]
        variance = torch.stack([_mean_square(target - target.mean(0)) for target in targets]).sum()
        return torch.stack([_mean_square(error) for error in errors]).sum() / variance.clamp_min(1e-12)

    def _count(self, kept: Tensor, smallest: Tensor) -> None:
        self._silent = torch.where(kept.any(0), 0, self._silent + len(kept))
        if self._schedule.counts_for_threshold(self.step):
            self.threshold.add(smallest)

    def state(self) -> TrainingState:
        """Returns everything that `restore` needs; the same tensors, not copies."""
        tensors = {"silent": self._silent, "threshold": self.threshold.total}
        for place, parameter in enumerate(self._parameters):
            tensors[f"parameter.{place}"] = parameter.detach()
            tensors[f"first_moment.{place}"] = self._optimizer.first_moments[place]
            tensors[f"second_moment.{place}"] = self._optimizer.second_moments[place]
        tensors |= {f"mean.{place}": mean for place, mean in enumerate(self.normaliser.means)}
        numbers = {f"scale.{place}": float(scale) for place, scale in enumerate(self.normaliser.scales)}
        counts = {"step": self.step, "place": self.place, "threshold_scores": self.threshold.scores}
        return TrainingState(tensors, numbers | counts)

    @classmethod
    def restore(
        cls, settings: DictionaryTrainingSettings, widths: Sequence[int], state: TrainingState
    ) -> "DictionaryOptimisation":
        """Returns the training as it was when `state` was taken.

        Raises:
            KeyError: The state lacks something.
        """
        inputs = range(len(widths))
        means = tuple(state.tensors[f"mean.{place}"] for place in inputs)
        scales = tuple(state.numbers[f"scale.{place}"] for place in inputs)
        training = cls(settings, widths, Normaliser(means, scales))
        training.step, training.place = int(state.numbers["step"]), int(state.numbers["place"])
        training.threshold.scores = int(state.numbers["threshold_scores"])
        training.threshold.total = state.tensors["threshold"].to(settings.device)
        training._silent = state.tensors["silent"].to(settings.device)
        for place, parameter in enumerate(training._parameters):
            parameter.data.copy_(state.tensors[f"parameter.{place}"])
            training._optimizer.first_moments[place].copy_(state.tensors[f"first_moment.{place}"])
            training._optimizer.second_moments[place].copy_(state.tensors[f"second_moment.{place}"])
        return training


def _mean_square(rows: Tensor) -> Tensor:
    """Returns the mean over rows of their squared norms."""
    return rows.square().sum(1).mean()


def _masks(settings: DictionaryTrainingSettings, inputs: int) -> tuple[Tensor, ...]:
    """Returns for every input a column of ones, with zeros at the latents that belong to the other input."""
    own_a, own_b = settings.partition
    masks = torch.ones(inputs, settings.latents, 1, device=settings.device)
    if inputs == 2:
        masks[1, :own_a] = 0
        masks[0, own_a : own_a + own_b] = 0
    return tuple(masks)


def _first_weights(
    settings: DictionaryTrainingSettings, widths: Sequence[int], masks: Sequence[Tensor]
) -> list[Tensor]:
    """Draws directions of norm 1, the same for reading and writing; in one space the same for both models."""
    generator = torch.Generator().manual_seed(settings.seed)
    directions: list[Tensor] = []
    for width in widths:
        if directions and settings.same_space:
            directions.append(directions[0].clone())
        else:
            drawn = torch.randn(settings.latents, width, generator=generator)
            directions.append(drawn / drawn.norm(dim=1, keepdim=True))
    own = [drawn.to(settings.device) * mask for drawn, mask in zip(directions, masks, strict=True)]
    zeros = [torch.zeros(width, device=settings.device) for width in widths]
    bias = torch.zeros(settings.latents, device=settings.device)
    tensors = [bias, *own, *(direction.clone() for direction in own), *zeros]
    return [tensor.requires_grad_() for tensor in tensors]
