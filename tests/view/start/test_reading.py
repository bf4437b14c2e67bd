"""A form from a browser becomes a config, or one clear line."""

import pytest

from diffing.config import DiffConfig, Limits
from diffing.errors import SettingError
from diffing.view.start.form_parsing import FieldError, in_page_terms, labels, read_form

NAMED = {"model_a": "org/a", "model_b": "org/b"}


def test_an_empty_form_is_the_defaults_without_names() -> None:
    wanted = read_form({})
    assert wanted.config == DiffConfig("", "")
    assert wanted.limits == Limits()
    assert wanted.where == {"a": "here", "b": "here"}


def test_every_field_of_the_form_reaches_the_config() -> None:
    form = {
        "model_a": " org/a ", "revision_a": "v1", "where_a": "here", "system_prompt_a": "Be brief.\r\nBe kind. \u200d",
        "model_b": "org/b", "where_b": "providers", "system_prompt_b": "  ",
        "prompts": "org/data:en/train", "prompt_column": "text", "language": "English", "domain": ["law", "law", "x"],
        "train": "300", "heldout": 150, "pool": "900", "method": ["lexical", "llm", "sae"], "suspect": "advice, \u0641",
        "llm": "org/judge", "second_judge": "openai:m@http://localhost:1/v1", "judging": "full",
        "reader": "gpt2", "sae": "release/id", "max_new_tokens": "64", "temperature": "0.7", "seed": "3",
        "sample_b": "1", "depth": ["0.25", 0.5, ""], "max_calls": "5000", "max_usd": "2.5",
        "price_read": "0.15", "price_written": "0.60",
        "trust_remote_code": "on", "base_url": "http://evil", "unknown": {"a": 1},
    }  # fmt: skip
    wanted = read_form(form)
    assert wanted.config == DiffConfig(
        "org/a@v1", "providers:org/b", system_prompt_a="Be brief.\nBe kind. \u200d", prompts="org/data:en/train",
        prompt_column="text", language="English", domain=("law", "x"), train=300, heldout=150, pool=900,
        method=("lexical", "llm", "sae"), suspect="advice, \u0641", llm="providers:org/judge",
        second_judge="openai:m@http://localhost:1/v1", judging="full", reader="gpt2", sae="release/id",
        max_new_tokens=64, temperature=0.7, seed=3, sample_b=1, depth=(0.25, 0.5),
        usd_per_million="0.15,0.6",
    )  # fmt: skip
    assert wanted.config.price is not None
    assert wanted.limits == Limits(5000, 2.5)
    assert wanted.where == {"a": "here", "b": "providers"}


@pytest.mark.parametrize("name", ["providers:org/a:some", "recorded:user/data", "openai:gpt", "local:org/a"])
def test_a_name_that_says_where_the_model_is_stays_as_it_is(name: str) -> None:
    assert read_form({"model_a": name, "where_a": "providers"}).config.model_a == name


def test_a_pasted_link_is_the_name_of_its_model() -> None:
    form = {"model_a": "https://huggingface.co/org/a/tree/v2", "model_b": "hf.co/org/b", "where_b": "providers"}
    config = read_form(form).config
    assert (config.model_a, config.model_b) == ("org/a@v2", "providers:org/b")


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"model_b": "hf.co/datasets/org/b"}, "model_b"), ({"train": "many"}, "train"),
        ({"price_read": "1"}, "price_written"), ({"method": ["llm"]}, "method=llm"), ({"method": []}, "method"),
        ({"source": "dataset"}, "prompts"),
    ],
)  # fmt: skip
def test_an_error_names_the_field_in_which_it_is_solved(form: dict[str, object], field: str) -> None:
    with pytest.raises(FieldError) as refused:
        read_form(NAMED | form)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("text", "Expected the fields of the form"),
        ({"model_a": 5}, "Model A is int, not a text"),
        ({"model_a": "org/a\x00"}, "Model A holds a line break or a control character"),
        ({"model_b": "org/\ud800"}, "Model B holds a line break or a control character"),
        ({"model_b": "x" * 301}, "Model B has 301 characters: expected at most 300"),
        ({"model_a": "org/a@main", "revision_a": "v1"}, "Revision of A is 'v1', but the name already names"),
        ({"system_prompt_a": "a\x1bb"}, "System prompt of A holds a control character"),
        ({"system_prompt_b": "x" * 8001}, "System prompt of B has 8,001 characters"),
        ({"train": "many"}, "Train prompts is 'many': expected a number from 1 to 100,000"),
        ({"train": "1.5"}, "Train prompts is 1.5: expected a whole number from 1 to 100,000"),
        ({"heldout": True}, "Held-out prompts is True: expected a number"),
        ({"heldout": 0}, "Held-out prompts is 0: expected a number from 1"),
        ({"temperature": "nan"}, "Temperature is 'nan': expected a number from 0 to 10"),
        ({"seed": "1" * 400}, "Seed is"),
        ({"seed": 10**400}, "Seed is"),
        ({"max_usd": [1]}, r"Maximum dollars is \[1\]: expected a number"),
        ({"price_read": "1"}, "fill in both, or none"),
        ({"method": {"a": 1}}, "Methods: expected a list of choices"),
        ({"method": ["magic"]}, "Methods: 'magic' is not known, expected lexical, sae, llm"),
        ({"method": []}, "Choose at least one method"),
        ({"source": "dataset", "prompts": " "}, "Name the dataset of prompts"),
        ({"method": ["llm"], "llm": ""}, "Name the LLM that describes and judges"),
        ({"method": ["sae"]}, "Name a reader"),
        ({"depth": 2}, "Depth is 2: expected a number from 0.01 to 1"),
        ({"depth": [{}]}, "Depth is {}: expected a number"),
        ({"depth": [0.5] * 101}, "Depth: expected at most 100 numbers"),
        ({"domain": [["law"]]}, "Domains is list, not a text"),
    ],
)
def test_anything_else_is_refused_in_one_line(form: object, told: str) -> None:
    with pytest.raises(SettingError, match=told) as refused:
        read_form(form if not isinstance(form, dict) else NAMED | form)
    assert len(str(refused.value)) < 200
    assert str(refused.value).isprintable()


def test_messages_speak_of_fields_and_not_of_a_shell_that_visitors_do_not_have() -> None:
    message = "--max-usd needs prices. Give --usd-per-million; run `hf auth login`, or set HF_TOKEN. --dtype stays"
    assert in_page_terms(message, public=False) == (
        f"“{labels()['max_usd']}” needs prices. Give “the prices of tokens”; "
        "run `hf auth login`, or set HF_TOKEN. --dtype stays"
    )
    assert in_page_terms(message, public=True).endswith("; sign in. --dtype stays")
    gated = "x is gated: ask for access, then sign in with `hf auth login` as the account"
    assert in_page_terms(gated, public=True) == "x is gated: ask for access, then sign in as the account"
    assert in_page_terms("Run `hf auth login`, or set HF_TOKEN", public=True) == "Sign in"
