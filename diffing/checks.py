"""Refuses a run's settings that would fail or have no effect, before a model is loaded or a call is paid."""

from diffing.config import DiffConfig, Limits
from diffing.errors import SettingError
from diffing.masking import masked
from diffing.methods.plan import method_plans, plans_of
from diffing.model_ref import ModelPlace, is_recorded, read_ref
from diffing.paths import LONGEST_NAME, check_text
from diffing.settings import described, flag
from diffing.types import SIDES, Side

_LONGEST_TEXT = 1_000_000
"""The largest size of a system prompt, in bytes; it is more than any model can read."""


def check(config: DiffConfig, limits: Limits) -> None:
    """Refuses settings that would fail or have no effect, before a model is loaded.

    Raises:
        SettingError: A setting cannot be used.
    """
    _check_texts(config)
    _check_methods(config)
    if config.second_judge:
        _check_second_judge(config)
    if limits.max_usd is not None and config.price is None:
        raise SettingError("--max-usd needs prices. Give --usd-per-million, for example 0.15,0.60")
    for side in SIDES:
        _check_side(config, side)
    if config.columns and not any(is_recorded(spec) for spec in (config.model_a, config.model_b)):
        raise SettingError("--columns has no effect: neither model is recorded:. Leave it out")
    _check_prompt_source(config)
    if config.amplify is not None:
        _check_amplify(config)
    _check_urls(config)
    if answer_the_same(config):
        raise SettingError(
            "Both sides are the same model with the same settings and would answer the same. For a null comparison "
            "give --temperature 0.7 --sample-b 1"
        )


def answer_the_same(config: DiffConfig) -> bool:
    """Whether both sides are the same model with the same settings, so that both would give the same responses."""
    same_samples = config.temperature == 0 or config.sample_a == config.sample_b
    a, b = _sides(config)
    return a == b and same_samples and not is_recorded(config.model_a)


def _check_methods(config: DiffConfig) -> None:
    """Refuses unknown methods, methods that lack a setting, and LLMs that no method uses."""
    plans = method_plans()
    for name in config.methods:
        if name not in plans:
            raise SettingError(f"--method {name:.60} is not known: expected one of {', '.join(plans)}")
        plans[name].check(config)
    if config.llm and not any(plan.asks_llm for plan in plans_of(config)):
        raise SettingError(
            f"--llm has no effect with --method {', '.join(config.methods)}. Add --method llm, or leave it out"
        )
    if config.stability > 1 and not _judged(config):
        raise SettingError(
            f"--stability {config.stability} has no effect without --method llm: what other methods find does not "
            "depend on the seed. Leave it out"
        )
    if config.judge and not _judged(config):
        raise SettingError("--judge has no effect without --method llm: the other methods measure. Leave it out")


def _judged(config: DiffConfig) -> bool:
    """Whether a judge tests the hypotheses of any method of this run."""
    return any(plan.judged for plan in plans_of(config))


def _check_texts(config: DiffConfig) -> None:
    """Refuses settings with control characters or broken Unicode, which no file, server or report can hold."""
    for name, each in described(type(config)).items():
        value, lines = getattr(config, name), each.setting.several_lines
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str):
                check_text(text, flag(name), lines=lines, longest=_LONGEST_TEXT if lines else LONGEST_NAME)


def _check_second_judge(config: DiffConfig) -> None:
    if not _judged(config) or config.check_judge == 0:
        needed = "--check-judge above 0" if _judged(config) else "--method llm"
        raise SettingError(f"--second-judge has no effect without {needed}. Leave it out")
    if config.second_judge == (config.judge or config.llm):
        raise SettingError("--second-judge is the judge itself, which would agree. Give another model")


def _check_prompt_source(config: DiffConfig) -> None:
    """Refuses settings that name more than one source of prompts."""
    if config.pool is None and config.pool_by != "responses":
        raise SettingError("--pool-by has no effect without --pool. Give --pool, or leave it out")
    if config.pool is not None and config.pool <= config.train + config.heldout:
        raise SettingError(
            f"--pool {config.pool} is no more than --train {config.train} and --heldout {config.heldout} together: "
            "nothing would be left to choose. Give a larger pool, or smaller splits"
        )
    if config.suspect is None:
        return
    if not config.llm:
        raise SettingError("--suspect needs an LLM that writes the prompts. Give --llm")
    for name in ("prompts", "domain", "prompt_column", "language", "pool"):
        if getattr(config, name):
            raise SettingError(
                f"{flag(name)} has no effect with --suspect: the LLM writes the prompts. Leave one of them out"
            )
    if any(is_recorded(spec) for spec in (config.model_a, config.model_b)):
        raise SettingError("--suspect needs models that can answer new prompts; a recorded: model has only its own")


def _check_amplify(config: DiffConfig) -> None:
    """Refuses to amplify what has no next-token scores, no difference, or no method that reads it."""
    for side in SIDES:
        spec = getattr(config, f"model_{side}")
        if not read_ref(spec).runs_here:
            raise SettingError(
                "--amplify needs the scores of all next tokens, so both models must run here (org/name or a folder), "
                f"and {masked(spec):.80} does not. Leave it out"
            )
    a, b = _sides(config)
    if a == b:
        raise SettingError(
            "--amplify has no effect where both sides are the same model: there is no difference to amplify. Leave it "
            "out"
        )
    if not any(plan.reads_amplified for plan in plans_of(config)):
        able = " or ".join(name for name, plan in method_plans().items() if plan.reads_amplified)
        raise SettingError(f"--amplify has no effect with --method {', '.join(config.methods)}. Add --method {able}")


def _check_side(config: DiffConfig, side: Side) -> None:
    """Refuses settings that do not apply to the model of one side, so that its report does not list them."""
    place: str = read_ref(getattr(config, f"model_{side}")).place
    local_only = ("quantization", "chat_template")
    refused: dict[str, tuple[str, ...]] = {
        ModelPlace.RECORDED: (*local_only, "system_prompt"),
        ModelPlace.OPENAI: local_only,
        ModelPlace.PROVIDERS: local_only,
    }
    if getattr(config, f"columns_{side}") and place != ModelPlace.RECORDED:
        raise SettingError(f"--columns-{side} has no effect on a model that is not recorded:. Leave it out")
    for name in refused.get(place, ()):
        if getattr(config, f"{name}_{side}") is not None:
            raise SettingError(f"{flag(f'{name}_{side}')} has no effect on a {place}: model. Leave it out")


def _check_urls(config: DiffConfig) -> None:
    """Refuses server addresses that contain a password or a query, since the report would show them."""
    specs = (
        config.model_a,
        config.model_b,
        config.llm,
        config.judge,
        config.second_judge,
        *config.rater,
        config.base_url,
    )
    for address in (spec for spec in specs if spec and "http" in spec):
        host = address.partition("://")[2].split("/")[0]
        if "@" in host or "?" in address:
            raise SettingError(
                "The address of a server holds a user, password or query: expected http://host:port/path. Give the key "
                "in DIFFING_API_KEY"
            )


def _sides(config: DiffConfig) -> tuple[tuple[object, ...], tuple[object, ...]]:
    names = ("model", "system_prompt", "quantization", "chat_template")
    a, b = (tuple(getattr(config, f"{name}_{side}") for name in names) for side in "ab")
    return a, b
