"""Plain values that say what a run does: the same as flags of the CLI, fields of a form and JSON.

Tokens and keys are no settings: they come from the environment or the Hub's login. Builds nothing: `run.py` does.
"""

from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from typing import Any

from diffing.errors import SettingError
from diffing.masking import masked
from diffing.model_ref import file_name_of, is_recorded, possible_paths, without_folders
from diffing.models.base import Price, Sampling
from diffing.paths import existing
from diffing.types import Scalar, Side

METHODS = ("lexical", "sae", "llm")

GROUPS = {
    "Prompts": ("prompts", "domain", "prompt_column", "language", "train", "heldout", "only_common"),
    "Recorded responses": ("columns", "columns_a", "columns_b"),
    "Prompts that show differences": ("pool", "pool_by", "suspect"),
    "Methods and LLMs": (
        "method",
        "llm",
        "judge",
        "second_judge",
        "check_judge",
        "rater",
        "judge_batch",
        "both_orders",
        "judging",
        "alpha",
        "embedder",
        "clustering",
    ),
    "The SAE method": ("reader", "sae", "features"),
    "Sides": (
        "system_prompt_a",
        "system_prompt_b",
        "sample_a",
        "sample_b",
        "chat_template_a",
        "chat_template_b",
        "quantization_a",
        "quantization_b",
    ),
    "Responses": ("max_new_tokens", "temperature", "top_p", "seed"),
    "Loading and reaching models": (
        "dtype",
        "trust_remote_code",
        "allow_pickle",
        "base_url",
        "bill_to",
        "concurrency",
        "timeout",
    ),
    "Cost": ("usd_per_million", "max_calls", "max_usd"),
    "The Hub": ("reuse", "push", "private", "collection", "on", "flavor", "job_timeout", "package"),
}
"""The settings in groups, for help and forms."""

MAY_BE_FILES = (
    *("model_a", "model_b", "prompts", "llm", "judge", "second_judge", "rater", "reader", "sae", "embedder"),
    *("chat_template_a", "chat_template_b"),
)
"""Settings that can name a file or a folder."""
_LONGEST_SIDE = 120
"""Bytes of one model's name in the name of a report's folder, which may have 255."""


@dataclass(frozen=True, slots=True)
class DiffConfig:
    """One run, in plain values. The text under a field is the help of its flag."""

    model_a: str
    """The first model: org/name[@revision], a folder, base+adapter, providers:org/name[:provider], openai:name,
    openai:name@URL, recorded:file, recorded:answers+questions or recorded:user/dataset."""
    model_b: str
    """The second model, likewise; may be the first again."""
    prompts: str | None = None
    """bundled, a Hub dataset (org/name[@revision][:config][/split]) or a file (JSON, JSON Lines, CSV, TSV, parquet, or
    text with one per line). Default: those of a recorded model, else bundled."""
    domain: tuple[str, ...] = ()
    """Only prompts of this domain; may be given several times."""
    prompt_column: str | None = None
    """The column that holds the prompt, where it cannot be told."""
    language: str | None = None
    """Only prompts in this language, for datasets with a language column."""
    train: int = 1000
    """Prompts from which hypotheses come, at most."""
    heldout: int = 500
    """Prompts that only test them, at most."""
    only_common: bool = False
    """Two recorded models: compare the prompts that both have, and leave out the others."""
    columns: str | None = None
    """Recorded models whose fields are not recognised: what is what, as prompt=question,response=text. Fields of ours
    are prompt, messages, response, id, model, domain, finish and sample; a dot leads into an object: choices.0.text."""
    columns_a: str | None = None
    """The same for A alone."""
    columns_b: str | None = None
    """The same for B alone."""
    pool: int | None = None
    """Select the prompts from a pool of so many, those on which the two models differ most: train prompts by what the
    models do, held-out prompts by their text alone. Shares then hold for such prompts only."""
    pool_by: str = "responses"
    """How it is told on which train prompts of the pool the models differ: responses, or tokens (the first token's
    distribution, for two models on this machine with one vocabulary; nothing is generated)."""
    suspect: str | None = None
    """What may differ, in words ("advice on medicines"): the LLM writes prompts that could show it."""
    method: tuple[str, ...] = ()
    """lexical, sae or llm; may be given several times. Default: lexical, sae where a reader or an SAE is given, and llm
    where an LLM is."""
    llm: str | None = None
    """The LLM that describes differences, judges and rates, where no other is named for it."""
    judge: str | None = None
    """The LLM that gives the verdicts."""
    second_judge: str | None = None
    """Another LLM, which judges a sample of train pairs as a check of the first."""
    check_judge: int = 50
    """Train pairs about which the judge is asked again, in the other order, to check it; 0 asks nothing."""
    rater: tuple[str, ...] = ()
    """An LLM that rates interestingness and abstraction; may be given several times."""
    system_prompt_a: str | None = None
    """A system prompt for A alone."""
    system_prompt_b: str | None = None
    """A system prompt for B alone."""
    sample_a: int = 0
    """Number of A's sample."""
    sample_b: int = 0
    """Number of B's sample; with the same model twice and another number, whatever is confirmed is a false alarm."""
    max_new_tokens: int = 1024
    """Tokens per response, at most."""
    temperature: float = 0.0
    """0 is greedy."""
    top_p: float = 1.0
    """Nucleus sampling."""
    seed: int = 0
    """Decides all that is drawn."""
    dtype: str = "auto"
    """Local models: auto is bfloat16 on a GPU and on a CPU that is fast at it (AVX-512-BF16, AMX), else float32."""
    quantization_a: str | None = None
    """4bit or 8bit for A, on a GPU."""
    quantization_b: str | None = None
    """4bit or 8bit for B, on a GPU."""
    chat_template_a: str | None = None
    """A file with a chat template for A, instead of its own."""
    chat_template_b: str | None = None
    """A file with a chat template for B, instead of its own."""
    trust_remote_code: bool = False
    """Local models: run code from the models' repositories."""
    allow_pickle: bool = False
    """Local models: load weights that are not safetensors."""
    base_url: str | None = None
    """The server of openai: models, for example http://localhost:8000/v1."""
    bill_to: str | None = None
    """providers: the organisation that pays."""
    concurrency: int = 8
    """Requests to a server at a time."""
    timeout: float = 120.0
    """Seconds to wait for one answer of a server."""
    reader: str | None = None
    """The model whose activations are read: a preset (gpt2, qwen2.5-7b, llama-3.1-8b, ...), org/name or a folder."""
    sae: str | None = None
    """release/sae_id as sae-lens names it, or a folder; default: the preset's."""
    features: int | None = None
    """Features followed up, at most. Default: 40, or 200 where an LLM labels them (21 calls each)."""
    embedder: str = "auto"
    """llm: the sentence embedder: auto, tfidf (offline), a Hub id or a folder."""
    clustering: str = "auto"
    """llm: how differences are clustered: auto, or paper for PCA, UMAP and HDBSCAN as published."""
    judge_batch: int = 10
    """Hypotheses per question to the judge."""
    both_orders: bool = False
    """Ask the judge in both orders; a disagreement counts for neither side. Doubles the calls."""
    judging: str = "thrift"
    """thrift stops for a hypothesis once its fate is clear on train prompts, and plans from these how many held-out
    prompts it needs; full judges every hypothesis on every prompt, as the papers do: up to three times the calls."""
    alpha: float = 0.01
    """Margin of the paper's acceptance on train."""
    usd_per_million: str | None = None
    """Price of the remote models in dollars per million tokens, read and written: for example 0.15,0.60"""

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that run."""
        given = {"lexical": True, "sae": self.reader or self.sae, "llm": self.llm}
        return tuple(dict.fromkeys(self.method)) or tuple(name for name in METHODS if given[name])

    @property
    def raters(self) -> tuple[str, ...]:
        """The LLMs that rate, each once: those named, else the LLM."""
        default = (self.llm,) if self.llm else ()
        return tuple(dict.fromkeys(self.rater or default))

    @property
    def features_followed(self) -> int:
        """Features that the SAE method follows up: without an LLM a list that a person reads."""
        return self.features or (200 if self.llm else 40)

    @property
    def price(self) -> Price | None:
        """The price given.

        Raises:
            SettingError: It is not two numbers.
        """
        if self.usd_per_million is None:
            return None
        try:
            read, written = (float(part) for part in self.usd_per_million.split(","))
            if not (0 <= read < inf and 0 <= written < inf):
                raise ValueError
        except ValueError:
            raise SettingError(
                f"--usd-per-million is {self.usd_per_million!r}: expected two numbers, for tokens read and written, "
                "such as 0.15,0.60"
            ) from None
        return Price(read, written)


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard limits of one run. They do not decide what is found, only how far the run gets."""

    max_calls: int | None = None
    """Calls to remote models, at most; the run stops cleanly, and goes on from there when run again."""
    max_usd: float | None = None
    """Dollars, at most; needs --usd-per-million."""


@dataclass(frozen=True, slots=True)
class HubOptions:
    """Where one run is computed and published. Decides nothing of what is found."""

    reuse: bool = False
    """Look for a published diff of the same models, commits and settings first, and download it if there is one."""
    push: str | None = None
    """Publish the report as this dataset: user/name."""
    private: bool = False
    """With --push: a dataset that only its owner can read."""
    collection: bool = False
    """With --push: also put it into your collection of each model's diffs."""
    on: str | None = None
    """jobs: run on a machine of Hugging Face Jobs, which costs money; needs --push, which brings the report back."""
    flavor: str | None = None
    """With --on jobs: the machine, such as a100-large or l4x1; default: cpu-basic."""
    job_timeout: str = "6h"
    """With --on jobs: when the job is stopped."""
    package: str = "diffing[all]"
    """With --on jobs: what pip installs there, such as "diffing[all] @ git+https://github.com/user/diffing"."""


def columns_of(config: DiffConfig, side: Side) -> str | None:
    """What is what in the recorded responses of a side, where that was said."""
    return (config.columns_a if side == "a" else config.columns_b) or config.columns


def sampling_of(config: DiffConfig) -> Sampling:
    """How the responses are drawn."""
    return Sampling(
        max_new_tokens=config.max_new_tokens, temperature=config.temperature, top_p=config.top_p, seed=config.seed
    )


def settings_of(config: DiffConfig) -> dict[str, Scalar]:
    """The settings that were made, flat and plain, for the report. Of files and folders only the name is told."""
    told = {key: _told(key, value) for key, value in asdict(config).items()}
    return {
        key: ", ".join(value) if isinstance(value, tuple) else value
        for key, value in told.items()
        if value not in (None, "", ()) and key not in _undecided(config)
    }


def _told(key: str, value: Any) -> Any:  # noqa: ANN401 - of whatever type the field has
    if key not in MAY_BE_FILES or value is None:
        return value
    return tuple(map(without_folders, value)) if isinstance(value, tuple) else without_folders(value)


def _undecided(config: DiffConfig) -> tuple[str, ...]:
    """Settings that decide nothing of the result: how fast it comes, who pays, how recorded responses would be made."""
    speed = ("concurrency", "timeout", "bill_to")
    if not all(is_recorded(spec) for spec in (config.model_a, config.model_b)):
        return speed
    return (*speed, "max_new_tokens", "temperature", "top_p", "dtype", "trust_remote_code", "allow_pickle")


def default_out(config: DiffConfig) -> Path:
    """Where the report goes when nothing else is said: `runs/<a>-vs-<b>`, made of safe characters."""
    # masked: an address may hold a key, which is refused, but not before the folder is made
    names = (file_name_of(masked(spec)) for spec in (config.model_a, config.model_b))
    safe = ["".join(c if c.isalnum() or c in "._-" else "-" for c in name).strip(".-") or "model" for name in names]
    return Path("runs") / "-vs-".join(_cut(name) for name in safe)


def _cut(name: str) -> str:
    """Two of them and what stands between fit into the name of one folder."""
    return name.encode()[:_LONGEST_SIDE].decode(errors="ignore").rstrip(".-")


def local_files(config: DiffConfig) -> tuple[str, ...]:
    """The settings that name files or folders of this machine, which nobody elsewhere has."""
    given = {name: getattr(config, name) or () for name in MAY_BE_FILES}
    specs = {name: (value,) if isinstance(value, str) else value for name, value in given.items()}
    return tuple(name for name, of in specs.items() if any(map(_on_this_machine, of)))


def _on_this_machine(value: str) -> bool:
    return any(map(existing, possible_paths(value)))
