"""Secrets in every form in which they come back, and words that are none."""

import base64
import json
import logging
from urllib.parse import quote, quote_plus

import pytest

from diffing.errors import HubError, ModelError
from diffing.masking import MaskingFormatter, keep_secret, masked
from tests.work import assert_linear

KEY = "tok/en+Ab12=xyz&789"


@pytest.fixture(autouse=True)
def _only_this_key(monkeypatch):
    for name in ("DIFFING_API_KEY", "OPENAI_API_KEY", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("diffing.masking._known", {})
    keep_secret(KEY)


@pytest.mark.parametrize("data", [False, True])
@pytest.mark.parametrize(
    "form",
    [
        KEY,
        KEY.upper(),
        quote(KEY, safe=""),
        quote(KEY),
        quote(quote(KEY, safe=""), safe=""),
        quote_plus(KEY),
        json.dumps(KEY)[1:-1],
        KEY.replace("/", "\\/"),
        KEY.replace("&", "&amp;"),
        KEY.encode().hex(),
        base64.b64encode(KEY.encode()).decode(),
        base64.b64encode(f"user:{KEY}".encode()).decode(),
        base64.b64encode(f"Bearer {KEY} and more".encode()).decode(),
        base64.urlsafe_b64encode(f"x{KEY}".encode()).decode(),
    ],
)
def test_a_known_secret_is_found_in_every_form(form, data):
    shown = masked(f"before {form} after", data=data)
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert "***" in shown
    # of base64 what stands around the secret stays, and the signs at its ends, which it decides only in part
    assert len(shown) < len("before  after") + 30
    assert not any(form[i : i + 12] in shown for i in range(12, len(form) - 24))


def test_the_longer_of_two_secrets_is_masked_whole():
    keep_secret(KEY + "-and-more")
    assert masked(f"{KEY}-and-more") == "***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abcdefgh12345678", "Authorization: ***"),
        ('{"authorization": "Basic dXNlcjpwYXNz"}', '{"authorization": "***"}'),
        ("sent Bearer abcdefgh12345678 twice", "sent Bearer *** twice"),
        ("x-api-key=abc123&page=2", "x-api-key=***&page=2"),
        ("OPENAI_API_KEY=sk-proj-1234567890abcdefghij", "OPENAI_API_KEY=***"),
        ("https://host/v1?api_key=abcd1234&x=1", "https://host/v1?api_key=***&x=1"),
        ("https://me:secret@host/v1", "https://***@host/v1"),
        ("the key hf_abcdefghijklmnopqrstuvwxyz was", "the key *** was"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig", "jwt ***"),
        ("Set-Cookie: session=abc123; Path=/", "Set-Cookie: ***; Path=/"),
        # what is no credential stays
        ("You can find your API key at https://host/keys.", "You can find your API key at https://host/keys."),
        ("hf_hub_download failed", "hf_hub_download failed"),
        ("max_tokens: 5000 is too large", "max_tokens: 5000 is too large"),
        ("write to me@host.org", "write to me@host.org"),
    ],
)
def test_credentials_are_known_by_their_form_in_messages_and_stay_in_data(text, shown):
    assert masked(text) == shown
    assert masked(text, data=True) == text


def test_keys_that_are_words_are_masked_in_messages_alone():
    for word in ("not-needed", "lm-studio"):
        keep_secret(word)
        assert masked(f"the key {word} is wrong") == "the key *** is wrong"
        assert masked(f"The set is {word}.", data=True) == f"The set is {word}."


@pytest.mark.parametrize("word", ["none", "EMPTY", "ollama", "abc"])
def test_what_is_put_where_a_server_wants_any_key_hides_no_name(word):
    keep_secret(word)
    assert masked(f"alice/{word} does not exist") == f"alice/{word} does not exist"


def test_the_environment_holds_secrets_too(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "my-own-key-77\n")
    assert masked("it said my-own-key-77") == "it said ***"


def test_many_secrets_are_remembered_but_not_for_ever():
    for i in range(1000):
        keep_secret(f"visitor-{i:04}")
    assert masked("visitor-0999") == "***"
    assert masked("visitor-0000") == "visitor-0000"


def test_errors_and_logs_hold_none():
    assert str(ModelError(f"said {KEY}")) == "said ***"
    assert str(HubError(f"said {KEY}", status=403)) == "said ***"
    record = logging.LogRecord("n", logging.WARNING, "f", 1, "said %s", (KEY,), None)
    assert MaskingFormatter("%(message)s").format(record) == "said ***"


@pytest.mark.parametrize(
    "piece", ["eyJ-", "authorization:", "api_key=", "://a", "bearer ", "sk-", "a@", "hf_", KEY[:9]]
)
def test_masking_takes_work_in_proportion(piece):
    assert_linear(lambda size: masked(piece * (size // len(piece))), 8_000)
