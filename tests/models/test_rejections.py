"""Servers' own words for a prompt that is too long and for too many tokens asked for, and what follows from them."""

import pytest

from diffing.models.rejections import exceeds_context, of_policy, tokens_allowed, tokens_left, too_long, unknown_model

ALLOWED = [
    ("max_tokens is too large: 9000. This model supports at most 4096 completion tokens.", 9000, 4096),
    (
        "'max_tokens' or 'max_completion_tokens' is too large: 5000. This model's maximum context length is 4096 "
        "tokens and your request has 20 input tokens (5000 > 4096 - 20).",
        5000,
        4076,
    ),
    (
        "This model's maximum context length is 4096 tokens. However, you requested 5020 tokens (20 in the messages, "
        "5000 in the completion). Please reduce the length of the messages or completion.",
        5000,
        4076,
    ),
    ("Input validation error: `max_new_tokens` must be <= 512. Given: 1024", 1024, 512),
    (
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 37 `inputs` tokens and "
        "4096 `max_new_tokens`",
        4096,
        2011,
    ),
    (
        "max_tokens: 9000 > 8192, which is the maximum allowed number of output tokens for claude-3-5-20241022",
        9000,
        8192,
    ),
    ("`max_tokens` must be less than or equal to `8192`, the maximum for this model", 100_000, 8192),
    ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 9000, 8192),
    ("maxOutputTokens is 9000 but the supported range is from 1 (inclusive) to 8193 (exclusive).", 9000, 8192),
    ('[{"loc": ["body", "max_tokens"], "msg": "Input should be less than or equal to 4,096"}]', 9000, 4096),
    (
        "The maximum tokens you requested exceeds the model limit of 512. Try again with a maximum tokens value that "
        "is lower than 512.",
        1024,
        512,
    ),
    ("The request exceeds the limit of 512. Please reduce your max tokens.", 1024, 512),
]
TOO_LONG = [
    (400, "This model's maximum context length is 8192 tokens. However, your messages resulted in 10000 tokens."),
    (
        400,
        "This model's maximum context length is 4096 tokens. However, you requested 5020 tokens (4020 in the messages, "
        "1000 in the completion).",
    ),
    (422, "Input validation error: `inputs` must have less than 1024 tokens. Given: 1500"),
    (
        422,
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1500 `inputs` tokens and "
        "1000 `max_new_tokens`",
    ),
    (400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096."),
    (400, "the request exceeds the available context size, try increasing it"),
    (400, "prompt is too long: 210000 tokens > 200000 maximum"),
    (400, "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length"),
    (400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
    (400, "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 280000 tokens."),
    (400, "too many tokens: size limit exceeded by 100 tokens. Try using shorter or fewer inputs"),
    (400, "The input (5000 tokens) is longer than the model's context length (4096 tokens)."),
    (413, "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 8000"),
    (413, "<html><h1>413 Request Entity Too Large</h1></html>"),
]
NEITHER = [
    "temperature does not support 0 with this model. Only the default (1) value is supported.",
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    "strange",
    "",
]


@pytest.mark.parametrize(("text", "asked", "allowed"), ALLOWED)
def test_too_many_tokens_asked_for(text, asked, allowed):
    assert tokens_allowed(text, asked) == allowed


@pytest.mark.parametrize(("status", "text"), TOO_LONG)
def test_a_prompt_that_is_too_long_is_not_too_many_tokens_asked_for(status, text):
    assert too_long(status, text)
    assert tokens_allowed(text, 1000) is None


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            "maximum context length is 4096 tokens. You requested 5000 (3976 in the messages, 1024 in the completion)",
            120,
        ),
        ("maximum context length is 4096 tokens and your request has 3976 input tokens (1024 > 4096 - 3976).", 120),
        ("maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens.", None),
        ("maximum context length is 4096 tokens and your request has 20 input tokens", None),
        ("maximum context length is 4096 tokens", None),
        ("strange", None),
    ],
)
def test_what_a_prompt_leaves_for_an_answer(text, left):
    assert tokens_left(text, 1024) == left


@pytest.mark.parametrize("text", NEITHER)
def test_other_rejections_are_neither(text):
    assert not too_long(400, text)
    assert tokens_allowed(text, 1024) is None
    assert not exceeds_context(text)
    assert not of_policy(text)
    assert not unknown_model(text)


def test_words_far_behind_the_first_are_what_a_server_echoes():
    assert not too_long(400, "bad request " + "x" * 20_000 + " the prompt is too long")


@pytest.mark.parametrize("digits", ["9" * 13, "9" * 17, "9" * 5_000])
def test_endless_digits_are_no_number(digits):
    for text in (
        f"maximum context length is {digits} tokens, max_tokens must be less than that",
        f"max_tokens must be at most {digits} (exclusive)",
        f"your messages resulted in {digits} tokens, the maximum context length is 4096 tokens",
        f"max_tokens is too large for {digits} maximum context",
    ):
        assert tokens_allowed(text, 1024) is None
        assert tokens_left(text, 1024) is None
