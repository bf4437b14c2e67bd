"""The settings of a sparse dictionary's training, with the papers' defaults where they give one."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from diffing.errors import SettingError

_SIZES = ((128, 512, 350_000), (896, 2**13, 5_000_000), (2_304, 2**14, 20_000_000), (4_096, 2**15, 20_000_000))
"""Width of the models, number of latents, number of rows; the nearest width decides."""
HIGHEST_RATE = 2e-3
"""The highest learning rate of the defaults."""
_FEW_LATENTS = 512
"""Up to this number of latents the highest rate is used: few rows teach little at a lower one."""
_PARTITION = 0.05
_BATCH_ROWS, _FEWEST_BATCH_ROWS = 2_048, 128
_FEWEST_STEPS = 600
"""With fewer rows, batches are smaller, as a dictionary learns little in fewer steps."""
ENOUGH_ROWS_PER_LATENT = 200
"""Below this number of rows per latent a training deserves a warning."""
FEWEST_ROWS_PER_LATENT = 20
"""Below this number of rows per latent a training is refused."""


@dataclass(frozen=True, slots=True)
class DictionarySource:
    """What a dictionary was trained on."""

    models: tuple[str, str]
    """Models A and B, as the run names them."""
    commits: tuple[str, str]
    """Their commits, or the hashes of their files."""
    layers: tuple[int, int]
    """The block whose output is read, counted from 1."""
    texts: str
    """A hash of the texts in their order."""

    def swapped(self) -> "DictionarySource":
        """The same with both models exchanged."""
        return DictionarySource(self.models[::-1], self.commits[::-1], self.layers[::-1], self.texts)


@dataclass(frozen=True, slots=True)
class DictionaryTrainingSettings:
    """Everything that decides a trained dictionary, apart from the machine; see `default_settings`."""

    source: DictionarySource
    """What it is trained on."""
    same_space: bool
    """Whether both models have one architecture, the same shapes and the same tokenizer."""
    latents: int
    """The number of latents D."""
    partition: tuple[int, int]
    """The first latents can only read and write model A, the next ones only model B; the rest are shared."""
    k: int
    """The mean number of active latents per row."""
    rows: int
    """The number of rows to train on, counted over all passes."""
    rate: float
    """The learning rate between its rise and its fall."""
    batch_rows: int = _BATCH_ROWS
    """The number of rows of a step."""
    seed: int = 0
    """Decides the first weights."""
    device: str = "cpu"
    """Where it is trained; not a part of the identity."""

    def __post_init__(self) -> None:
        """Raises SettingError if the numbers do not fit together."""
        if sum(self.partition) >= self.latents or not 0 < self.k < self.latents:
            raise SettingError(
                f"Expected more latents than k and than both models' own latents together, got {self.latents:,}, "
                f"k {self.k:,}, own latents {self.partition[0]:,} and {self.partition[1]:,}: train more latents"
            )
        if self.rows < self.batch_rows:
            raise SettingError(
                f"Expected at least {self.batch_rows:,} rows to train on, got {self.rows:,}: give more texts with "
                "--corpus"
            )

    @property
    def steps(self) -> int:
        """The number of steps; an incomplete last batch is not trained on."""
        return self.rows // self.batch_rows

    @property
    def identity(self) -> str:
        """A hash of everything that decides the result."""
        text = json.dumps(asdict(replace(self, device="")), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def default_settings(
    source: DictionarySource,
    widths: tuple[int, int],
    *,
    same_space: bool,
    latents: int | None = None,
    rows: int | None = None,
    k: int | None = None,
    seed: int = 0,
    device: str = "cpu",
) -> DictionaryTrainingSettings:
    """Chooses the settings by the models' widths; arguments that are not None override them.

    Sources: k, the learning rate, and the share of the partition are those of arXiv 2602.11729 and 2504.02922.
    """
    size, default_rows = default_size(widths)
    latents, rows = latents or size, rows or default_rows
    own = round(_PARTITION * latents)
    return DictionaryTrainingSettings(
        source=source,
        same_space=same_space,
        latents=latents,
        partition=(own, own),
        k=k or _default_k(max(widths)),
        rows=rows,
        rate=default_rate(latents),
        batch_rows=batch_size(rows),
        seed=seed,
        device=device,
    )


def default_size(widths: Sequence[int]) -> tuple[int, int]:
    """Returns the numbers of latents and rows for models of these widths."""
    width = max(widths)
    _, latents, rows = min(_SIZES, key=lambda size: abs(math.log(size[0] / width)))
    return latents, rows


def batch_size(rows: int) -> int:
    """Returns the number of rows of a step, a power of two: fewer if the rows would give too few steps."""
    most = max(rows // _FEWEST_STEPS, _FEWEST_BATCH_ROWS)
    return int(min(2 ** (most.bit_length() - 1), _BATCH_ROWS))


def default_rate(latents: int) -> float:
    """Returns the learning rate for a number of latents."""
    if latents <= _FEW_LATENTS:
        return HIGHEST_RATE
    return float(min(2e-4 * (2**14 / latents) ** 0.5, HIGHEST_RATE))


def _default_k(width: int) -> int:
    if width >= 1_024:
        return 100
    return 32 if width > 128 else 8


def check_rows(latents: int, rows: int) -> str | None:
    """Compares the number of rows with the number of latents.

    Args:
        latents: The number of latents.
        rows: The number of rows that the training can have, counted over all passes.

    Returns:
        A warning, or None if there are enough rows.

    Raises:
        SettingError: There are far too few.
    """
    each = rows / latents
    if each < FEWEST_ROWS_PER_LATENT:
        raise SettingError(
            f"The texts give {rows:,} rows for {latents:,} latents, {each:.1f} per latent, expected at least "
            f"{FEWEST_ROWS_PER_LATENT}: train at most {rows // FEWEST_ROWS_PER_LATENT:,} latents, or give more texts "
            "with --corpus"
        )
    if each < ENOUGH_ROWS_PER_LATENT:
        return (
            f"There are only {each:.0f} rows per latent, and {ENOUGH_ROWS_PER_LATENT} are usual: latents may be noise. "
            "Give more texts with --corpus or train fewer latents"
        )
    return None
