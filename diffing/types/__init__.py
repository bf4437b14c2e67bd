"""The data types that all parts of the package share, such as `Prompt`, `Pair`, `Hypothesis`, `Finding` and `Report`.

All of them are frozen dataclasses or type aliases. Types that belong to one method alone, such as a cluster or a
latent, are defined in that method.
"""

from diffing.types.discoveries import Discovery
from diffing.types.findings import Finding, Level, LevelKind, Place, Rating
from diffing.types.grouped_findings import Block, KnownBy, Merged
from diffing.types.hypotheses import Category, Evidence, Hypothesis, OnHypotheses, ignore_hypotheses
from diffing.types.measures import (
    FeatureAbove,
    FeatureKind,
    FeatureMeasure,
    LatentMeasure,
    Measure,
    PhraseMeasure,
    PropertyMeasure,
)
from diffing.types.pairs import (
    SIDES,
    Completion,
    Conversation,
    Finish,
    Message,
    OnResponse,
    Pair,
    Prompt,
    Response,
    Role,
    Side,
    Split,
    ignore_response,
    other_side,
)
from diffing.types.progress import OnProgress, Stage, ignore_progress
from diffing.types.reports import ModelInfo, Report, Row, Scalar, Usage
from diffing.types.verdicts import DESCRIBED, Judgement, Verdict

__all__ = [
    "DESCRIBED",
    "SIDES",
    "Block",
    "Category",
    "Completion",
    "Conversation",
    "Discovery",
    "Evidence",
    "FeatureAbove",
    "FeatureKind",
    "FeatureMeasure",
    "Finding",
    "Finish",
    "Hypothesis",
    "Judgement",
    "KnownBy",
    "LatentMeasure",
    "Level",
    "LevelKind",
    "Measure",
    "Merged",
    "Message",
    "ModelInfo",
    "OnHypotheses",
    "OnProgress",
    "OnResponse",
    "Pair",
    "PhraseMeasure",
    "Place",
    "Prompt",
    "PropertyMeasure",
    "Rating",
    "Report",
    "Response",
    "Role",
    "Row",
    "Scalar",
    "Side",
    "Split",
    "Stage",
    "Usage",
    "Verdict",
    "ignore_hypotheses",
    "ignore_progress",
    "ignore_response",
    "other_side",
]
