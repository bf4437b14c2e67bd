"""`CrosscoderOptions`: the depth, number of latents, corpora and checks of the crosscoder method."""

from dataclasses import dataclass, field

from diffing.methods.features.feature_screening import ScreenOptions
from diffing.models.base import Sampling
from diffing.models.local.spec import LocalOptions
from diffing.types import Prompt


@dataclass(frozen=True, slots=True)
class InsideSide:
    """One side's weights and how they are loaded."""

    weights: str
    """`org/name[@revision]`, a folder, or `base+adapter`."""
    options: LocalOptions = field(default_factory=LocalOptions)
    """How they are loaded."""
    system_prompt: str | None = None
    """The side's system prompt."""


@dataclass(frozen=True, slots=True)
class PublishedChoice:
    """A crosscoder that is opened instead of being trained."""

    spec: str
    """`org/name[@revision][/folder]`, or a folder."""
    models: tuple[str, str] | None = None
    """Its models in its own order, if its files do not name them."""
    allow_pickle: bool = False
    """Whether its weights may be a pickle."""


@dataclass(frozen=True, slots=True)
class CrosscoderOptions:
    """The options of the method."""

    depth: float = 0.5
    """The share of the blocks after which both models are read."""
    names_block: bool = False
    """Whether the names of latents begin with the block, as a run that reads several needs."""
    latents: int | None = None
    """The number of latents; None for the default at the models' widths."""
    corpus: tuple[str, ...] = ()
    """More texts to train on, beside the train responses."""
    heldout: tuple[Prompt, ...] = ()
    """Prompts whose texts are left out of the corpus."""
    screen: ScreenOptions = field(default_factory=ScreenOptions)
    """Which latents count as different."""
    features: int = 40
    """The largest number of features that are followed up, half per direction."""
    hypotheses: int = 40
    """The largest number of hypotheses that an LLM states from them, half per direction."""
    examples: int = 5
    """The number of responses quoted per hypothesis."""
    published: PublishedChoice | None = None
    """The published crosscoder; None to train one."""
    null: bool = False
    """Whether the same training is also done with model A against itself."""
    null_sampling: Sampling | None = None
    """How A answers a second time for it; None if a second sample of A's responses cannot be drawn."""
    steer: int = 0
    """The number of held-out prompts that are answered anew without each latent that is checked."""
    sampling: Sampling = field(default_factory=Sampling)
    """How these are answered."""
    seed: int = 0
    """The seed of the first weights and of the order of rows."""
