"""The settings that every run has, whichever methods it uses; `diffing/config.py` adds the settings of the methods."""

from collections.abc import Mapping
from math import inf
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass as validated

from diffing import registry
from diffing.errors import SettingError
from diffing.model_ref import is_recorded
from diffing.models.base import Price, Sampling
from diffing.settings import Setting, Settings

_PROMPTS = "Prompts"
_RECORDED = "Recorded responses"
_SELECTION = "Prompts that show differences"
_METHODS = "Methods and LLMs"
_SIDES = "Sides"
_RESPONSES = "Responses"
_REACHING = "Loading and reaching models"
_COST = "Cost"


@validated(frozen=True)
class RunSettings(Settings):
    """The settings that all runs share, as plain values. The docstring of a field is also the help text of its flag."""

    model_a: Annotated[str, Setting(_SIDES, "Model A", may_be_file=True)]
    """The first model: org/name[@revision], a folder, base+adapter, providers:org/name[:provider], openai:name,
    openai:name@URL, recorded:file, recorded:answers+questions or recorded:user/dataset."""
    model_b: Annotated[str, Setting(_SIDES, "Model B", may_be_file=True)]
    """The second model, in the same forms; it may be the first model again."""
    prompts: Annotated[str | None, Setting(_PROMPTS, "Dataset", may_be_file=True)] = None
    """The source of the prompts: bundled (or a version of it, such as bundled@1), a Hub dataset
    (org/name[@revision][:config][/split]) or a file (JSON, JSON Lines, CSV, TSV, parquet, or text with one prompt per
    line). Default: the prompts of a recorded model, else bundled."""
    domain: Annotated[tuple[str, ...], Setting(_PROMPTS, "Domains")] = ()
    """Use only prompts of this domain, or of a kind of bundled prompts such as advice; may be given several times."""
    prompt_column: Annotated[str | None, Setting(_PROMPTS, "Column")] = None
    """The column that holds the prompt, if it is not recognised."""
    language: Annotated[str | None, Setting(_PROMPTS, "Language")] = None
    """Use only prompts in this language, for datasets with a language column."""
    train: Annotated[int, Setting(_PROMPTS, "Train prompts", most_on_page=100_000), Field(ge=1)] = 1000
    """Maximum number of train prompts, from which hypotheses are formed."""
    heldout: Annotated[int, Setting(_PROMPTS, "Held-out prompts", most_on_page=100_000), Field(ge=1)] = 500
    """Maximum number of held-out prompts, which are only used to test the hypotheses."""
    balance: Annotated[Literal["domains", "none"], Setting(_PROMPTS)] = "domains"
    """How prompts are drawn if there are more than needed: domains takes evenly from all domains, none takes them
    regardless of domain."""
    only_common: Annotated[bool, Setting(_PROMPTS)] = False
    """With two recorded models: compare only the prompts that both have."""
    columns: Annotated[str | None, Setting(_RECORDED, "Columns")] = None
    """For recorded responses whose columns are not recognised: a mapping such as prompt=question,response=text. The
    names on the left are prompt, messages, response, id, model, domain, finish and sample; a dot leads into an object:
    choices.0.text."""
    columns_a: Annotated[str | None, Setting(_RECORDED, "Columns of A")] = None
    """Like --columns, for A alone."""
    columns_b: Annotated[str | None, Setting(_RECORDED, "Columns of B")] = None
    """Like --columns, for B alone."""
    pool: Annotated[int | None, Setting(_SELECTION, "Pool", most_on_page=1_000_000), Field(ge=3)] = None
    """Load a pool of this many prompts and select those on which the two models differ most: train prompts by what the
    models do, held-out prompts by their text alone. Shares then apply to such prompts only."""
    pool_by: Annotated[Literal["responses", "tokens"], Setting(_SELECTION)] = "responses"
    """How differences on the train prompts of the pool are measured: by responses, or by tokens (the distribution of
    the first token, for two models on this machine with the same vocabulary; nothing is generated)."""
    amplify: Annotated[float | None, Setting(_SELECTION), Field(ge=0.1, le=2)] = None
    """Also look for hypotheses in amplified answers to the train prompts, in which rare habits become frequent: next
    tokens are drawn by own + ALPHA * (own - other), for each model against the other. It needs two models on this
    machine with one vocabulary, in memory at once; usual are 0.3 to 1. Held-out prompts are never amplified."""
    suspect: Annotated[str | None, Setting(_SELECTION, "What may differ", several_lines=True)] = None
    """A suspected difference in words, such as "advice on medicines"; the LLM writes prompts that could show it."""
    method: Annotated[tuple[str, ...], Setting(_METHODS, "Methods")] = ()
    """lexical, sae, llm or an added method; may be given several times. Default: lexical, sae if a reader or an SAE is
    given, and llm if an LLM is given."""
    llm: Annotated[str | None, Setting(_METHODS, "LLM", may_be_file=True, served=True)] = None
    """The LLM that describes differences, and that judges and rates unless another LLM is named for that."""
    judge: Annotated[str | None, Setting(_METHODS, may_be_file=True)] = None
    """The LLM that gives the verdicts. Default: the LLM of --llm."""
    second_judge: Annotated[str | None, Setting(_METHODS, "Second judge", may_be_file=True, served=True)] = None
    """Another LLM, which is asked a sample of the judge's questions, as a check of the first judge."""
    check_judge: Annotated[int, Setting(_METHODS), Field(ge=0)] = 12
    """Number of questions that the judge is asked again with the responses swapped, as a check; 0 turns this off."""
    rater: Annotated[tuple[str, ...], Setting(_METHODS, may_be_file=True)] = ()
    """An LLM that rates interestingness and abstraction; may be given several times."""
    system_prompt_a: Annotated[str | None, Setting(_SIDES, "System prompt of A", several_lines=True)] = None
    """A system prompt for A alone."""
    system_prompt_b: Annotated[str | None, Setting(_SIDES, "System prompt of B", several_lines=True)] = None
    """A system prompt for B alone."""
    sample_a: Annotated[int, Setting(_SIDES), Field(ge=0)] = 0
    """Sample number of A; other numbers give other random samples."""
    sample_b: Annotated[int, Setting(_SIDES, "Sample of B", most_on_page=1_000), Field(ge=0)] = 0
    """Sample number of B; if A and B are the same model with other sample numbers, every confirmed finding is a false
    alarm."""
    max_new_tokens: Annotated[int, Setting(_RESPONSES, "Tokens per response", most_on_page=100_000), Field(ge=1)] = 1024
    """Maximum number of tokens per response."""
    temperature: Annotated[float, Setting(_RESPONSES, "Temperature"), Field(ge=0, le=10)] = 0.0
    """Sampling temperature of the responses; 0 is greedy decoding."""
    top_p: Annotated[float, Setting(_RESPONSES), Field(ge=0.01, le=1)] = 1.0
    """Probability mass of nucleus sampling."""
    seed: Annotated[int, Setting(_RESPONSES, "Seed", most_on_page=2**31 - 1)] = 0
    """The seed of everything random: sampling of responses, splits of prompts, shuffled orders."""
    dtype: Annotated[str, Setting(_REACHING)] = "auto"
    """Data type of local models: auto is bfloat16 on a GPU and on a CPU that is fast at it (AVX-512-BF16, AMX), else
    float32."""
    quantization_a: Annotated[Literal["4bit", "8bit"] | None, Setting(_SIDES)] = None
    """Load the weights of A in 4bit or 8bit, on a GPU."""
    quantization_b: Annotated[Literal["4bit", "8bit"] | None, Setting(_SIDES)] = None
    """Load the weights of B in 4bit or 8bit, on a GPU."""
    chat_template_a: Annotated[str | None, Setting(_SIDES, may_be_file=True)] = None
    """A file with a chat template for A, instead of its own."""
    chat_template_b: Annotated[str | None, Setting(_SIDES, may_be_file=True)] = None
    """A file with a chat template for B, instead of its own."""
    trust_remote_code: Annotated[bool, Setting(_REACHING)] = False
    """Local models: run code from the models' repositories."""
    allow_pickle: Annotated[bool, Setting(_REACHING)] = False
    """Local models: allow weights that are not safetensors, although loading such files can run code."""
    base_url: Annotated[str | None, Setting(_REACHING)] = None
    """The server of openai: models, for example http://localhost:8000/v1."""
    bill_to: Annotated[str | None, Setting(_REACHING)] = None
    """The organisation that pays for providers: models."""
    concurrency: Annotated[int, Setting(_REACHING), Field(ge=1, le=1000)] = 8
    """Maximum number of simultaneous requests to a server."""
    timeout: Annotated[float, Setting(_REACHING), Field(ge=0.01)] = 120.0
    """Seconds to wait for one answer from a server."""
    embedder: Annotated[str, Setting(_METHODS, may_be_file=True)] = "auto"
    """The sentence embedder of the llm method and of --pool: auto, tfidf (offline), a Hub id or a folder."""
    judge_batch: Annotated[int, Setting(_METHODS), Field(ge=1, le=50)] = 20
    """Largest number of hypotheses in one question to the judge; the papers use 10."""
    both_orders: Annotated[bool, Setting(_METHODS)] = False
    """Ask the judge in both orders; a disagreement counts for neither side. This doubles the calls."""
    judging: Annotated[Literal["thrift", "full"], Setting(_METHODS, "Judging")] = "thrift"
    """thrift takes verdicts on train prompts from the descriptions of differences, and stops early for a hypothesis
    once its outcome is clear; full judges every hypothesis on every prompt, as the papers do, with about three times
    the calls."""
    alpha: Annotated[float, Setting(_METHODS), Field(ge=0, le=1)] = 0.01
    """Margin of the paper's acceptance criterion on train."""
    stability: Annotated[int, Setting(_METHODS), Field(ge=1, le=20)] = 1
    """How many times hypotheses are found and judged, each time with the next seed and on the same responses, to tell
    how many confirmed ones come back. 1 does not repeat anything; 3 takes three times the calls of the llm method and
    its judge. What the method agent finds is not repeated."""
    usd_per_million: Annotated[str | None, Setting(_COST, "the prices of tokens")] = None
    """Prices of remote models in dollars per million prompt tokens and completion tokens, for example 0.15,0.60"""

    @property
    def sampling(self) -> Sampling:
        """The sampling parameters with which both models answer the prompts."""
        return Sampling(
            max_new_tokens=self.max_new_tokens, temperature=self.temperature, top_p=self.top_p, seed=self.seed
        )

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that run."""
        given = tuple(dict.fromkeys(self.method))
        return given or tuple(
            name for name, place in registry.METHODS.items() if registry.load(place).runs_unasked(self)
        )

    @property
    def raters(self) -> tuple[str, ...]:
        """The LLMs that rate, each once: those named, else the LLM."""
        default = (self.llm,) if self.llm else ()
        return tuple(dict.fromkeys(self.rater or default))

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


def draws_bundled(settings: Mapping[str, Any]) -> bool:
    """Whether a run with these settings takes its prompts from the bundled set."""
    from diffing.prompts.bundled_set import is_bundled

    if prompts := settings.get("prompts"):
        return is_bundled(prompts)
    recorded = any(is_recorded(settings.get(side) or "") for side in ("model_a", "model_b"))
    return not recorded and not settings.get("suspect")


def as_stored(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Stored settings, completed so that a run with them draws the same prompts today.

    Settings without `balance` were stored when draws did not regard domains and the bundled set was in version 1.
    """
    if "balance" in settings:
        return dict(settings)
    first = {"prompts": "bundled@1"} if draws_bundled(settings) else {}
    return {**settings, **first, "balance": "none"}
