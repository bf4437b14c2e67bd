"""Runs null comparisons of a model with itself: two samples, two batch sizes, or weights that were saved again."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from diffing.bench.null.plan import NullPlan
from diffing.config import DiffConfig, Limits
from diffing.coverage import TOLD_APART
from diffing.errors import SettingError
from diffing.model_ref import is_recorded, parse_spec, read_ref
from diffing.models import Model, Sampling
from diffing.models.base import OnCompletion, OnTokens
from diffing.run import run
from diffing.types import Completion, Conversation, Finding, OnProgress, Report, ignore_progress

if TYPE_CHECKING:
    from diffing.models.cache import Store

SAMPLES = "two samples"
RECORDED = "two recorded samples"
BATCHES = "one at a time and in batches"
SAVED = "saved again and loaded"


@dataclass(frozen=True, slots=True)
class NullRun:
    """The result of one comparison of a model with itself."""

    what: str
    """What was compared, such as `two samples`."""
    model: str
    """The model's short name."""
    methods: tuple[str, ...]
    """The methods of the run."""
    pairs: int
    """The number of prompts that both sides answered."""
    same: int
    """The number of prompts to which both sides gave the same text."""
    findings: tuple[Finding, ...]
    """The tested hypotheses of the methods, all of which are false."""
    told_apart: bool | None = None
    """Whether the sides can be told apart on held-out pairs, at p <= 0.05; None if there are too few pairs."""


def null_runs(
    plan: NullPlan,
    *,
    limits: Limits | None = None,
    store: "Store | None" = None,
    on_progress: OnProgress = ignore_progress,
) -> Iterator[NullRun]:
    """Runs all null comparisons that the model allows, one after another.

    Args:
        plan: The model and the settings.
        limits: The hard limits of each run.
        store: The cache of completions; None uses the user's cache folder.
        on_progress: Called with the progress of every stage of every run.

    Raises:
        DiffingError: Anything that the user can fix, in one line.
    """
    plan.check()
    for number in range(plan.pairs):
        config = plan.of_samples(number)
        report = run(config, limits=limits, store=store, on_progress=on_progress)
        if plan.recorded:
            _check_one_model(report)
        yield _null_run(plan, RECORDED if plan.recorded else SAMPLES, report)
    if not plan.local:
        return
    config = plan.greedy()
    models = _two_batch_sizes(config, store)
    named = replace(config, model_a=models[0].id, model_b=models[1].id)
    report = run(named, limits=limits, store=store, models=models, on_progress=on_progress)
    yield _null_run(plan, BATCHES, report)
    if _can_be_saved(config):
        with tempfile.TemporaryDirectory(prefix="diffing-null-") as folder:
            saved = replace(config, model_b=str(_save_again(config, Path(folder))))
            yield _null_run(plan, SAVED, run(saved, limits=limits, store=store, on_progress=on_progress))


def _null_run(plan: NullPlan, what: str, report: Report) -> NullRun:
    return NullRun(
        what=what,
        model=plan.name or report.model_a.ref.short,
        methods=plan.config.methods,
        pairs=len(report.pairs),
        same=sum(pair.a.text == pair.b.text for pair in report.pairs),
        findings=report.findings,
        told_apart=None if report.coverage is None else report.coverage.p <= TOLD_APART,
    )


def _check_one_model(report: Report) -> None:
    """Refuses two recordings that name different models."""
    ids = (report.model_a.id, report.model_b.id)
    if ids[0] != ids[1] and not any(map(is_recorded, ids)):
        raise SettingError(
            f"The recordings are of {ids[0]:.80} and {ids[1]:.80}: what differs between two models is no false alarm. "
            "Give two samples of one model"
        )


class _OneAtATime:
    """A model that answers one conversation at a time; its own name keeps the cache from returning batched answers."""

    remote = False

    def __init__(self, model: Model) -> None:
        ref = read_ref(model.id)
        self.id = str(ref.loaded("one-at-a-time"))
        self._model = model

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """Answers the conversations one at a time; see `Model.generate`."""
        return self._model.generate(conversations, sampling, on_completion=on_completion, on_tokens=on_tokens)


def _two_batch_sizes(config: DiffConfig, store: "Store | None") -> tuple[Model, Model]:
    """Returns the model with one conversation at a time, and the model with batches of the usual size."""
    from diffing.models.cache import CachedModel, default_store
    from diffing.models.local import LocalModel, LocalOptions

    options = LocalOptions(
        dtype=config.dtype,
        quantization=config.quantization_a,
        chat_template=config.chat_template_a,
        trust_remote_code=config.trust_remote_code,
        allow_pickle=config.allow_pickle,
    )
    single = LocalModel.load(config.model_a, options=replace(options, max_batch_rows=1))
    usual = LocalModel.load(config.model_a, options=options)
    kept = store or default_store()
    return CachedModel(_OneAtATime(single), kept), CachedModel(usual, kept)


def _can_be_saved(config: DiffConfig) -> bool:
    """Tells whether saving writes the same weights; it does not for adapters and for quantized models."""
    return config.quantization_a is None and parse_spec(config.model_a).adapter is None


def _save_again(config: DiffConfig, folder: Path) -> Path:
    """Loads the weights and the tokenizer and saves both to a folder, like someone who uploads the model again."""
    from diffing.hub import hub_api
    from diffing.models.local.loading import load_tokenizer, load_weights
    from diffing.models.local.sources import open_source
    from diffing.models.local.spec import LocalOptions

    source = open_source(parse_spec(config.model_a), hub_api(), allow_pickle=config.allow_pickle)
    options = LocalOptions(
        device="cpu",
        dtype="float32",  # holds every 16-bit weight exactly
        trust_remote_code=config.trust_remote_code,
        allow_pickle=config.allow_pickle,
    )
    files = source.fetch(code=config.trust_remote_code)
    saved = folder / f"{Path(source.name).name}-saved-again"
    load_weights(source.name, files, options).save_pretrained(saved)
    load_tokenizer(source.name, files, options).save_pretrained(saved)
    return saved
