"""Every way in which the Hub can refuse, hang or be away is one clear line that shows no token."""

import re
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx2
import huggingface_hub.constants
import pytest
from huggingface_hub import CommitOperationAdd
from huggingface_hub.errors import LocalTokenNotFoundError, OfflineModeIsEnabled

from diffing.errors import HubError
from diffing.hub import BoundedApi, Patience, commit, head_of, hub_api, hub_errors, read_file, user_name
from tests.hub import LocalHub
from tests.waiting import DEADLINE

QUICK = Patience(timeout=DEADLINE, attempts=2, first_wait=0.01)


@pytest.fixture(scope="module")
def hub() -> Iterator[LocalHub]:
    with LocalHub() as local:
        yield local


@pytest.fixture(scope="module")
def tokens(hub: LocalHub) -> dict[str, str]:
    made = {"alice": hub.add_user("alice"), "bob": hub.add_user("bob"), "reader": hub.add_user("rita", read_only=True)}
    api = api_of(hub, made["alice"])
    for name in ("open", "gated", "private", "off"):
        api.create_repo(f"alice/{name}", private=name == "private")
        api.upload_file(path_or_fileobj=b"x", path_in_repo="config.json", repo_id=f"alice/{name}")
    hub.gate("alice/gated")
    hub.disable("alice/off")
    return made


@pytest.fixture(autouse=True)
def clean(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    yield
    hub.faults.clear()


def api_of(hub: LocalHub, token: str | bool = False, patience: Patience = QUICK) -> BoundedApi:
    return hub_api(token, hub.endpoint, patience=patience)


def write(api: BoundedApi, repo: str = "alice/open") -> str:
    file = CommitOperationAdd(path_in_repo="new.txt", path_or_fileobj=str(time.monotonic_ns()).encode())
    return commit(api, repo, [file], message="Something new").oid


def line_of(caught: pytest.ExceptionInfo[HubError], tokens: dict[str, str]) -> str:
    """The message: one line, without any token."""
    line = str(caught.value)
    assert "\n" not in line
    assert not any(token in line for token in tokens.values())
    assert "hf_" not in line
    assert caught.value.__suppress_context__  # a traceback would show the address that was asked
    return line


@pytest.mark.parametrize(
    ("repo", "revision", "line"),
    [
        ("alice/none", None, "alice/none does not exist on the Hub, or is private and you are not signed in"),
        ("alice/private", None, r"alice/private does not exist on the Hub, or is private .* run `hf auth login`"),
        ("alice/open", "v9", "alice/open has no revision v9: expected a branch, tag or commit"),
        ("alice/off", None, "alice/off was disabled on the Hub; use another model"),
        ("not a/name", None, "'not a/name' is not a valid name on the Hub: expected user/name"),
    ],
)
def test_what_cannot_be_found(
    hub: LocalHub, tokens: dict[str, str], repo: str, revision: str | None, line: str
) -> None:
    with pytest.raises(HubError, match=line) as caught:
        head_of(api_of(hub), repo, revision=revision)
    line_of(caught, tokens)


def test_a_gated_model_names_the_page_to_ask_at(hub: LocalHub, tokens: dict[str, str]) -> None:
    api = api_of(hub, tokens["bob"])
    with pytest.raises(
        HubError, match=r"gated: ask for access at https://huggingface\.co/alice/gated, then sign"
    ) as caught:
        read_file(api, "alice/gated", "config.json", revision=head_of(api_of(hub, tokens["alice"]), "alice/gated"))
    line_of(caught, tokens)
    assert caught.value.gated


def test_a_missing_file_is_none_and_a_file_is_bytes(hub: LocalHub, tokens: dict[str, str]) -> None:
    sha = head_of(api_of(hub), "alice/open")
    assert read_file(api_of(hub), "alice/open", "README.md", revision=sha) is None
    assert read_file(api_of(hub), "alice/open", "config.json", revision=sha) == b"x"


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (400, r"did not accept the request for alice/open \(400: as planted\)"),
        (401, r"refused the token \(401\): it is wrong or expired; run `hf auth login`"),
        (402, r"asks for payment \(402\) for alice/open"),
        (403, r"may not read alice/open \(403: as planted\): use one with read access"),
        (404, r"nothing there \(404\) for alice/open"),
        (409, r"alice/open is being changed .*\(409: as planted\): try again"),
        (412, r"alice/open changed in the meantime \(412\): nothing was written"),
        (413, r"sent to alice/open is too large .*\(413\): send less"),
        (422, r"did not accept .*\(422: as planted\)"),
        (500, r"answered 500 for alice/open: as planted: try again later"),
        (503, r"answered 503 for alice/open"),
    ],
)
def test_every_status_has_its_line(hub: LocalHub, tokens: dict[str, str], status: int, line: str) -> None:
    hub.faults.add("GET", "alice/open", status)
    with pytest.raises(HubError, match=line) as caught:
        head_of(api_of(hub, tokens["bob"]), "alice/open")
    line_of(caught, tokens)
    assert caught.value.status == status


def test_a_rate_limit_tells_the_seconds(hub: LocalHub, tokens: dict[str, str]) -> None:
    hub.faults.add("GET", "alice/open", 429, retry_after=77)
    with pytest.raises(HubError, match=r"slow down \(429\) for alice/open: wait 77 seconds") as caught:
        head_of(api_of(hub), "alice/open")
    line_of(caught, tokens)


def test_an_error_whose_body_is_a_list(hub: LocalHub, tokens: dict[str, str]) -> None:
    hub.faults.add("GET", "alice/open", 500, body=["no", "object"])
    with pytest.raises(HubError, match="refused a request for alice/open without a readable reason") as caught:
        head_of(api_of(hub), "alice/open")
    line_of(caught, tokens)


@pytest.mark.parametrize("body", [b"<html>Please sign in to the network</html>", b"", b"\xff", b"[" * 100_000])
def test_an_answer_that_is_no_json(hub: LocalHub, tokens: dict[str, str], body: bytes) -> None:
    hub.faults.add("GET", "alice/open", 200, body=body)
    with pytest.raises(HubError, match=r"^What answered a request for alice/open is no JSON of the Hub: ") as caught:
        head_of(api_of(hub), "alice/open")
    line_of(caught, tokens)


def test_a_token_in_the_hubs_own_words_is_not_passed_on(hub: LocalHub, tokens: dict[str, str]) -> None:
    hub.faults.add("GET", "alice/open", 403, body={"error": f"the token\n{tokens['bob']} is for reading"})
    with pytest.raises(HubError, match=re.escape("(403: the token *** is for reading)")) as caught:
        head_of(api_of(hub, tokens["bob"]), "alice/open")
    line_of(caught, tokens)


def test_writing_without_the_right_to(hub: LocalHub, tokens: dict[str, str]) -> None:
    for who in ("bob", "reader"):
        with pytest.raises(
            HubError, match=r"may not write to alice/open \(403.*\): use one with write access"
        ) as caught:
            write(api_of(hub, tokens[who]))
        line_of(caught, tokens)
    hub.faults.add("POST", "/discussions", 403)
    with pytest.raises(HubError, match="may not open discussions or pull requests at alice/open"):
        with hub_errors("alice/open", doing="discuss"):
            api_of(hub, tokens["bob"]).create_discussion("alice/open", "A title")


def test_a_wrong_token(hub: LocalHub) -> None:
    wrong = {"wrong": "hf_" + "w" * 34}
    with pytest.raises(HubError, match=r"refused the token \(401\)") as caught:
        user_name(api_of(hub, wrong["wrong"]))
    line_of(caught, wrong)


def test_a_card_with_broken_metadata(hub: LocalHub, tokens: dict[str, str]) -> None:
    card = CommitOperationAdd(path_in_repo="README.md", path_or_fileobj=b"---\ntags: 3\n---\n")
    with pytest.raises(HubError, match="refused the card of alice/open: its metadata is not valid") as caught:
        commit(api_of(hub, tokens["alice"]), "alice/open", [card], message="A card")
    line_of(caught, tokens)


def test_a_card_that_would_break_the_client(hub: LocalHub, tokens: dict[str, str]) -> None:
    api = api_of(hub, tokens["alice"])
    api.create_repo("alice/odd", repo_type="dataset")
    card = CommitOperationAdd(path_in_repo="README.md", path_or_fileobj=b"---\nself: 1\n---\n")
    commit(api, "alice/odd", [card], message="A card", repo_type="dataset")
    with pytest.raises(HubError, match="The card of alice/odd has metadata that cannot be read"):
        head_of(api, "alice/odd", repo_type="dataset")


def test_a_hub_that_hangs_is_given_up_on(hub: LocalHub, tokens: dict[str, str]) -> None:
    hub.faults.add("GET", "alice/open", delay=2 * DEADLINE, times=9)
    with pytest.raises(HubError, match=r"Cannot reach the Hub for alice/open \(no answer in time\)") as caught:
        head_of(api_of(hub, patience=replace(QUICK, timeout=0.3)), "alice/open")
    line_of(caught, tokens)


def test_a_hub_that_is_not_there(tokens: dict[str, str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        api = hub_api(tokens["bob"], f"http://127.0.0.1:{unused.getsockname()[1]}", patience=QUICK)
        with pytest.raises(
            HubError, match=r"Cannot reach the Hub for alice/open .*check the network and HF_ENDPOINT"
        ) as caught:
            head_of(api, "alice/open")
    line_of(caught, tokens)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OfflineModeIsEnabled("offline"), r"Offline mode is on \(HF_HUB_OFFLINE\): alice/open"),
        (LocalTokenNotFoundError("none"), "alice/open needs an account: sign in with `hf auth login`"),
        (
            ConnectionError("Network error: Request error: HTTP 404"),
            "file storage failed for .*DISABLE_XET",
        ),
        (httpx2.ReadError("gone"), r"Cannot reach the Hub for alice/open \(ReadError\)"),
    ],
)
def test_failures_of_this_side(error: Exception, line: str) -> None:
    with pytest.raises(HubError, match=line):
        with hub_errors("alice/open"):
            raise error


@pytest.mark.parametrize(
    "bug", [AttributeError("'list' object has no attribute 'push'"), ValueError("push"), OSError("push")]
)
def test_bugs_are_not_dressed_up(bug: Exception) -> None:
    with pytest.raises(type(bug), match="push"):
        with hub_errors("alice/open", doing="write"):
            raise bug


def test_the_endpoint_is_read_when_asked_for(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"{hub.endpoint}/")
    assert hub_api(False).endpoint == hub.endpoint
    monkeypatch.delenv("HF_ENDPOINT")
    assert hub_api(False).endpoint == huggingface_hub.constants.ENDPOINT


def test_the_hub_is_told_who_asks(hub: LocalHub, tokens: dict[str, str]) -> None:
    head_of(api_of(hub), "alice/open")
    assert hub.requests[-1].user_agent.startswith("diffing/")


def test_the_account_is_asked_for_once(hub: LocalHub, tokens: dict[str, str]) -> None:
    assert user_name(api_of(hub, tokens["bob"])) == "bob"
    before = len(hub.requests)
    assert user_name(api_of(hub, tokens["bob"])) in ("bob",)
    assert len([each for each in hub.requests[before:] if "whoami" in each.path]) <= 1


def test_requests_of_others_in_this_process_are_left_as_they_are(hub: LocalHub, tokens: dict[str, str]) -> None:
    session = huggingface_hub.get_session()
    before, seen = session.timeout, []
    session.event_hooks["request"].append(spy := lambda request: seen.append((request.headers, request.extensions)))
    head_of(api_of(hub), "alice/open")
    huggingface_hub.HfApi(hub.endpoint).whoami(tokens["alice"])
    session.event_hooks["request"].remove(spy)
    assert session.timeout == before
    (ours, bounded), (_, theirs) = seen
    assert bounded["timeout"] == dict.fromkeys(("connect", "read", "write", "pool"), QUICK.timeout)
    assert set(theirs["timeout"].values()) == {None}
    assert not [name for name in ours if name.startswith("x-diffing")]
