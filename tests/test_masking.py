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


@pytest.mark.parametrize("data", [False, True])
@pytest.mark.parametrize(
    "form",
    [
        " ".join(KEY),
        "\0".join(KEY),
        f"{KEY}".encode("utf-16-le").decode("latin-1").rstrip("\0"),
        "\u200b".join(KEY),
        "\u00ad".join(KEY),
        f"{KEY[:7]}\r\n    {KEY[7:]}",
        f"{KEY[:7]}\\n{KEY[7:]}",
        f"{KEY[:7]}<wbr>{KEY[7:]}",
        "".join(f"\\u{ord(char):04x}" for char in KEY),
        "".join(f"\\\\u{ord(char):04X}" for char in KEY),
        "".join(f"\\u{{{ord(char):x}}}" for char in KEY),
        "".join(f"\\x{ord(char):02x}" for char in KEY),
        "".join(f"%{ord(char):02X}" for char in KEY),
        "".join(f"%25{ord(char):02x}" for char in KEY),
        "".join(f"&#{ord(char)};" for char in KEY),
        "".join(f"&#x{ord(char):x};" for char in KEY),
        "".join(f"&amp;#{ord(char)};" for char in KEY),
        KEY.replace("/", "&sol;").replace("+", "&plus;"),
        KEY.encode().hex(" "),
        KEY.encode().hex(":").upper(),
        ", ".join(map(str, KEY.encode())),
        "\n".join(base64.b64encode(KEY.encode()).decode()[i : i + 5] for i in range(0, 28, 5)),
    ],
)
def test_a_known_secret_is_found_when_it_is_broken_up(form, data):
    shown = masked(f"before ({form}) after", data=data)
    assert "***" in shown
    assert shown.startswith("before (")
    assert shown.endswith(") after")
    assert len(shown) <= len("before (***) after") + 8  # of base64 the signs at its ends, which it decides in part


def test_each_of_many_broken_up_ones_is_found():
    keep_secret("another-key-0987654321")
    text = f"İ {' '.join(KEY)} or a n o t h e r-key-0987654321, {chr(0).join(KEY)}"
    assert masked(text) == "İ *** or ***, ***"
    assert masked(text, data=True) == "İ *** or ***, ***"


def test_words_that_make_up_a_placeholder_stay():
    for word in ("lmstudio", "thereisnokeyneededatall", "password1", "1234567890123456"):
        keep_secret(word)
    assert masked("LM Studio says no") == "LM Studio says no"
    for text in ("There is no key needed at all.", "The password 1 of 2", "1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6"):
        assert masked(text, data=True) == text


@pytest.mark.parametrize(
    ("cut", "data"),
    [
        ("sk-verys...", False),
        ("sk-verys*****3210", False),
        ("sk-verysecret…", False),
        ("sk-verysecret9...", False),
        ("SK-VERYSECRET98●●●●", False),
        ("sk-verysecret9...", True),
        ("sk-verysecret9876****10", True),
    ],
)
def test_a_secret_that_the_server_cut_itself_is_masked(cut, data):
    keep_secret("sk-verysecret9876543210")
    assert masked(f"Incorrect API key provided: {cut}, see", data=data) == "Incorrect API key provided: ***, see"


def test_the_beginning_of_a_secret_that_may_be_a_word_stays():
    keep_secret("placeholderkey1234567")
    keep_secret("sk-ant-api03-abcdefgh1234")
    assert masked("a placeholder") == "a placeholder"
    assert masked("placeholderkey12...") == "***"
    text = "Keys begin with sk-ant-api03-, a placeholder."
    assert masked(text, data=True) == text
    assert masked("task-ant-api03", data=True) == "task-ant-api03"


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


@pytest.mark.parametrize("key", ["abc123", "sk-key"])
def test_a_short_key_that_is_no_word_is_masked_in_messages_alone(key):
    keep_secret(key)
    assert masked(f"bad key {key}") == "bad key ***"
    assert masked(f"It is {key}.", data=True) == f"It is {key}."


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
    "piece",
    [
        "eyJ-",
        "authorization:",
        "api_key=",
        "://a",
        "bearer ",
        "sk-",
        "a@",
        "hf_",
        KEY[:9],
        " ".join(KEY[:-1]),
        " ".join(KEY),
        KEY[:12],
        "\\",
        "%25",
        "&amp;",
        "&#",
        "0x",
        "\0",
    ],
)
def test_masking_takes_work_in_proportion(piece):
    assert_linear(lambda size: masked(piece * (size // len(piece))), 8_000)
