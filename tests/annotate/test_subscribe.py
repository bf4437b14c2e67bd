"""One webhook per service: made once, updated afterwards, its secret sent to nobody else."""

import pytest

from diffing.annotate.webhook_subscription import Subscription, address_of, subscribe
from diffing.errors import HubError, SettingError
from diffing.hub import hub_api
from tests.hub import LocalHub

SECRET = "correct horse battery staple"
URL = "https://alice-annotator.hf.space"
FULL = f"{URL}/webhooks/model-diff"


def test_made_once_then_updated(hub: LocalHub) -> None:
    api = hub_api(hub.add_user("alice"), hub.endpoint)
    api.create_webhook(url="https://other.example/hook", watched=[{"type": "user", "name": "alice"}], secret="other")
    assert subscribe(api, ["alice/one"], URL, SECRET) == Subscription(FULL, ("alice/one",), created=True)
    assert subscribe(api, ["alice/one"], URL, SECRET) == Subscription(FULL, ("alice/one",), created=False)
    api.disable_webhook(hub.webhooks[1].id)
    assert subscribe(api, ["bob/two"], FULL, f"{SECRET} 2") == Subscription(
        FULL, ("alice/one", "bob/two"), created=False
    )
    other, ours = hub.webhooks
    assert (other.url, other.secret) == ("https://other.example/hook", "other")
    assert (ours.secret, ours.domains, ours.disabled) == (f"{SECRET} 2", ["repo"], False)


def test_what_the_hub_refuses_is_one_line_without_the_secret(hub: LocalHub) -> None:
    hub.add_user("alice")
    with pytest.raises(HubError, match="token") as refused:
        subscribe(hub_api("hf_wrong", hub.endpoint), ["alice/one"], URL, SECRET)
    assert SECRET not in str(refused.value)
    assert "hf_wrong" not in str(refused.value)


@pytest.mark.parametrize("name", ["alone", "../etc", "a/b/c", ""])
def test_names_that_are_no_models(name: str, hub: LocalHub) -> None:
    with pytest.raises(SettingError, match="expected org/name"):
        subscribe(hub_api("hf_any", hub.endpoint), [name], URL, SECRET)
    assert hub.requests == []


def test_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_HOST", raising=False)
    with pytest.raises(SettingError, match="give --url"):
        address_of(None)
    monkeypatch.setenv("SPACE_HOST", "alice-annotator.hf.space")
    assert address_of(None) == FULL
    assert address_of(f"{URL}/") == FULL
    assert address_of("http://127.0.0.1:7860/other/route/") == "http://127.0.0.1:7860/other/route"
    for bad in ("http://example.org", "ftp://example.org", "example.org", "https://"):
        with pytest.raises(SettingError, match="expected https"):
            address_of(bad)
    for bad in ("https://user:pass@example.org", f"{URL}?secret=1"):
        with pytest.raises(SettingError, match="without user, password or query"):
            address_of(bad)
