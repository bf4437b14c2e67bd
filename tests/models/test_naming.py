import pytest

from diffing.models.served_names import same_model, same_name


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("m", "m"),
        ("Qwen/Qwen3-32B", "qwen3-32b"),
        ("meta-llama/Llama-3.1-8B-Instruct", "accounts/fireworks/models/llama-v3p1-8b-instruct".replace("-v3", "-3")),
        ("qwen2.5-7b", "qwen2_5-7b"),
        ("model", "/models/model.gguf"),
        ("C:\\models\\m.gguf", "m"),
    ],
)
def test_spellings_of_one_name(asked, served):
    assert same_name(asked, served)
    assert same_model(asked, served)


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06"),
        ("gpt-4", "gpt-4-0613"),
        ("mistral-large-latest", "mistral-large-2411".replace("-2411", "")),
        ("mistral-large", "mistral-large-2411"),
        ("llama3", "llama3:latest"),
        ("claude-sonnet-4", "claude-sonnet-4-20250514"),
    ],
)
def test_a_dated_snapshot_is_the_model_that_was_asked_for_but_another_name(asked, served):
    assert same_model(asked, served)
    assert not same_name(asked, served)


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("gpt-4o", "gpt-4o-mini"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-08-06"),
        ("llama3:70b", "llama3:8b"),
        ("Llama-3.1-8B-Instruct", "Llama-3.1-8B-Instruct-Turbo"),
        ("Qwen3-32B", "Qwen3-32B-FP8"),
        ("m", "another-model"),
        ("gpt-4", "gpt-4-mini-0613"),
    ],
)
def test_other_weights_are_another_model(asked, served):
    assert not same_model(asked, served)
