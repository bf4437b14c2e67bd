"""The schedules of a sparse dictionary's training: its learning rate and its number of active latents at each step."""

from dataclasses import dataclass

from diffing.methods.crosscoder.training_settings import DictionaryTrainingSettings

_RISE_STEPS, _RISE_SHARE = 1_000, 0.05
_FALL_SHARE = 0.2
_FIRST_K, _K_SHARE = 10, 0.02
_THRESHOLD_FROM = 0.3
_SILENT_SHARE, _SILENT_ROWS = 0.05, 10_000_000


@dataclass(frozen=True, slots=True)
class TrainingSchedule:
    """The course of one training; steps are counted from 0."""

    settings: DictionaryTrainingSettings
    """The training."""

    def rate(self, step: int) -> float:
        """Returns the learning rate: it rises linearly, stays, and falls linearly to 0 in the last fifth."""
        steps = self.settings.steps
        rise = max(min(_RISE_STEPS, _RISE_SHARE * steps), 1)
        fall = max(_FALL_SHARE * steps, 1)
        return self.settings.rate * min((step + 1) / rise, (steps - step) / fall, 1.0)

    def kept(self, step: int) -> int:
        """Returns how many activations of a batch are kept: at first ten times as many, so that latents do not die."""
        course = min(step / (_K_SHARE * self.settings.steps), 1.0)
        k = self.settings.k * (_FIRST_K - (_FIRST_K - 1) * course)
        return round(min(k, self.settings.latents) * self.settings.batch_rows)

    def counts_for_threshold(self, step: int) -> bool:
        """Returns whether the smallest kept score of this step is part of the threshold."""
        return step >= int(_THRESHOLD_FROM * self.settings.steps)

    @property
    def silent_rows(self) -> float:
        """The number of rows after which a latent that was never active is revived."""
        return min(_SILENT_SHARE * self.settings.rows, _SILENT_ROWS)
