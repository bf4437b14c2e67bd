"""`DiffOptions`: sampling, judging, prices and the other options of a comparison of two models."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from diffing.models.base import Price, Sampling
from diffing.types import Scalar


@dataclass(frozen=True, slots=True)
class DiffOptions:
    """Options of a comparison other than the models, the prompts and the methods."""

    sampling: Sampling = field(default_factory=Sampling)
    """Sampling parameters of both models' responses."""
    sample_a: int = 0
    """Sample number of model A."""
    sample_b: int = 0
    """Sample number of model B. If A and B are the same model, different numbers make it a null comparison."""
    judge_batch: int = 20
    """Hypotheses per question to the judge."""
    both_orders: bool = False
    """Whether to ask the judge twice, with the responses swapped; a disagreement counts as NEITHER."""
    judging: Literal["thrift", "full"] = "thrift"
    """`thrift` uses the train verdicts that a method already has, and stops early for a hypothesis once its outcome is
    clear; `full` judges every hypothesis on every pair."""
    check_judge: int = 12
    """Number of questions that the judge is asked again, to check its consistency; 0 turns the check off."""
    stability: int = 1
    """How many times hypotheses are found and judged, with consecutive seeds, to see which come back; 1 for once."""
    alpha: float = 0.01
    """Margin of the paper's acceptance criterion."""
    prices: Mapping[str, Price] = field(default_factory=dict)
    """Dollars per million tokens, by model id."""
    settings: Mapping[str, Scalar] = field(default_factory=dict)
    """The settings that the report stores; if empty, it stores the options of this object."""
    notes: tuple[str, ...] = ()
    """Notes on how the run was set up, which are added to the report's notes."""

    def stored_settings(self) -> dict[str, Scalar]:
        """The settings that the report stores: those that are given, else the options that influence the result."""
        if self.settings:
            return dict(self.settings)
        sampling = {key: value for key, value in asdict(self.sampling).items() if key not in ("sample", "json_schema")}
        own = ("sample_a", "sample_b", "judge_batch", "both_orders", "judging", "check_judge", "stability", "alpha")
        return {**sampling, **{name: getattr(self, name) for name in own}}
