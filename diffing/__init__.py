"""The package's public names: compare two language models and test how their behaviour differs.

Each name is loaded from its module on first use, so that `import diffing` stays quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from diffing.version import VERSION

if TYPE_CHECKING:
    from diffing.amplified import Amplified
    from diffing.annotate.settings import Against, AnnotatorSettings, CardMode
    from diffing.annotate.trainer_integration import annotate_on_push
    from diffing.annotate.worker import RetryPolicy
    from diffing.config import DiffConfig, Limits
    from diffing.errors import DiffingError, HubError, LimitError, MissingExtraError, ModelError, SettingError
    from diffing.estimates import Concentration, Coverage, Estimate, Metrics
    from diffing.methods.base import Measurements, Method
    from diffing.methods.features.feature_screening import ScreenOptions
    from diffing.methods.lexical import LexicalMethod
    from diffing.methods.lexical.phrases import PhraseSearch
    from diffing.methods.llm import LlmMethod
    from diffing.methods.llm.embedders import Embedder
    from diffing.methods.llm.settings import Clustering
    from diffing.methods.sae import SaeMethod, SaeOptions
    from diffing.methods.sae.activation_cache import TextStore
    from diffing.model_ref import ModelPlace, ModelRef
    from diffing.models import LoadOptions, Quantization, load_model
    from diffing.models.base import Model, OnCompletion, OnTokens, Price, Sampling
    from diffing.models.cache import Store
    from diffing.models.local.spec import LocalOptions
    from diffing.models.meter import Meter
    from diffing.models.process_group import ProcessGroup
    from diffing.pipeline import DiffOptions, diff_models
    from diffing.prompts import load_prompts
    from diffing.report import load_report, save_report
    from diffing.scope import Junction, Scope, ScopeKind, ScopeRule, Term, TermKind
    from diffing.types import (
        Block,
        Category,
        Completion,
        Conversation,
        Discovery,
        Evidence,
        FeatureAbove,
        FeatureKind,
        FeatureMeasure,
        Finding,
        Finish,
        Hypothesis,
        Judgement,
        KnownBy,
        LatentMeasure,
        Level,
        LevelKind,
        Measure,
        Merged,
        Message,
        ModelInfo,
        OnHypotheses,
        OnProgress,
        OnResponse,
        Pair,
        PhraseMeasure,
        Place,
        Prompt,
        PropertyMeasure,
        Rating,
        Report,
        Response,
        Role,
        Row,
        Scalar,
        Side,
        Split,
        Stage,
        Usage,
        Verdict,
    )

__version__ = VERSION
__all__ = [
    "Against",
    "Amplified",
    "AnnotatorSettings",
    "Block",
    "CardMode",
    "Category",
    "Clustering",
    "Completion",
    "Concentration",
    "Conversation",
    "Coverage",
    "DiffConfig",
    "DiffOptions",
    "DiffingError",
    "Discovery",
    "Embedder",
    "Estimate",
    "Evidence",
    "FeatureAbove",
    "FeatureKind",
    "FeatureMeasure",
    "Finding",
    "Finish",
    "HubError",
    "Hypothesis",
    "Judgement",
    "Junction",
    "KnownBy",
    "LatentMeasure",
    "Level",
    "LevelKind",
    "LexicalMethod",
    "LimitError",
    "Limits",
    "LlmMethod",
    "LoadOptions",
    "LocalOptions",
    "Measure",
    "Measurements",
    "Merged",
    "Message",
    "Meter",
    "Method",
    "Metrics",
    "MissingExtraError",
    "Model",
    "ModelError",
    "ModelInfo",
    "ModelPlace",
    "ModelRef",
    "OnCompletion",
    "OnHypotheses",
    "OnProgress",
    "OnResponse",
    "OnTokens",
    "Pair",
    "PhraseMeasure",
    "PhraseSearch",
    "Place",
    "Price",
    "ProcessGroup",
    "Prompt",
    "PropertyMeasure",
    "Quantization",
    "Rating",
    "Report",
    "Response",
    "RetryPolicy",
    "Role",
    "Row",
    "SaeMethod",
    "SaeOptions",
    "Sampling",
    "Scalar",
    "Scope",
    "ScopeKind",
    "ScopeRule",
    "ScreenOptions",
    "SettingError",
    "Side",
    "Split",
    "Stage",
    "Store",
    "Term",
    "TermKind",
    "TextStore",
    "Usage",
    "Verdict",
    "annotate_on_push",
    "diff_models",
    "load_model",
    "load_prompts",
    "load_report",
    "save_report",
]

_HOMES = {
    name: module
    for module, names in {
        "diffing.amplified": "Amplified",
        "diffing.annotate.settings": "Against AnnotatorSettings CardMode",
        "diffing.annotate.trainer_integration": "annotate_on_push",
        "diffing.annotate.worker": "RetryPolicy",
        "diffing.config": "DiffConfig Limits",
        "diffing.estimates": "Concentration Coverage Estimate Metrics",
        "diffing.errors": "DiffingError HubError LimitError MissingExtraError ModelError SettingError",
        "diffing.methods.base": "Measurements Method",
        "diffing.methods.lexical": "LexicalMethod",
        "diffing.methods.lexical.phrases": "PhraseSearch",
        "diffing.methods.llm": "LlmMethod",
        "diffing.methods.llm.embedders": "Embedder",
        "diffing.methods.llm.settings": "Clustering",
        "diffing.methods.sae": "SaeMethod SaeOptions",
        "diffing.methods.sae.activation_cache": "TextStore",
        "diffing.methods.features.feature_screening": "ScreenOptions",
        "diffing.model_ref": "ModelPlace ModelRef",
        "diffing.models": "LoadOptions Quantization load_model",
        "diffing.models.base": "Model OnCompletion OnTokens Price Sampling",
        "diffing.models.cache": "Store",
        "diffing.models.local.spec": "LocalOptions",
        "diffing.models.meter": "Meter",
        "diffing.models.process_group": "ProcessGroup",
        "diffing.pipeline": "DiffOptions diff_models",
        "diffing.prompts": "load_prompts",
        "diffing.report": "load_report save_report",
        "diffing.scope": "Junction Scope ScopeKind ScopeRule Term TermKind",
        "diffing.types": (
            "Block Category Completion Conversation Discovery Evidence Finding Finish Hypothesis "
            "FeatureAbove FeatureKind FeatureMeasure "
            "Judgement KnownBy LatentMeasure Level LevelKind Measure Merged Message ModelInfo OnHypotheses OnProgress "
            "OnResponse Pair PhraseMeasure Place Prompt PropertyMeasure Rating Report Response Role Row Scalar Side "
            "Split Stage Usage Verdict"
        ),
    }.items()
    for name in names.split()
}


def __getattr__(name: str) -> object:
    """Loads a public name from its module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'diffing' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
