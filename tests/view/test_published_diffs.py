"""Diffs of the Hub are found and opened for whoever may read them, and for nobody else."""

from dataclasses import replace
from pathlib import Path

import pytest

from diffing.errors import HubError, LimitError, SettingError
from diffing.hub import hub_api
from diffing.outputs.dataset import push_report
from diffing.report import load_report
from diffing.report.index import index_of
from diffing.types import Report
from diffing.view.published_diffs import HubDiffs
from diffing.view.runs import OWN_MACHINE
from diffing.view.runs.access import SignInError
from diffing.view.visitor import Visitor
from tests.hub import LocalHub
from tests.hub.fixtures import hub
from tests.outputs.samples import medium_report

__all__ = ["hub"]
pytestmark = pytest.mark.usefixtures("quick_apart")
NOBODY = Visitor()


def report_of(a: str = "org/base", b: str = "org/tuned", *, prompts: int = 10) -> Report:
    report = medium_report(train=prompts, heldout=12)
    models = (replace(report.model_a, id=f"{a}@{'1' * 40}"), replace(report.model_b, id=f"{b}@{'2' * 40}"))
    return replace(report, model_a=models[0], model_b=models[1], tables={}, settings={})


@pytest.fixture(autouse=True)
def machine(hub: LocalHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Signed in itself, as a Space can be: no visitor may gain from that."""
    monkeypatch.setenv("HF_TOKEN", hub.add_user("machine"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def alice(hub: LocalHub) -> Visitor:
    """A visitor who has published a diff."""
    visitor = Visitor(hub.add_user("alice"))
    push_report(report_of(), "alice/diff", api=hub_api(visitor.token))
    return visitor


def test_a_diff_is_downloaded_once_and_opened_by_keys_that_tell_nothing(
    hub: LocalHub, alice: Visitor, tmp_path: Path
) -> None:
    diffs = HubDiffs(tmp_path / "diffs")
    first = diffs.open("alice/diff", NOBODY)
    assert load_report(diffs.folder(first)).model_a.id == f"org/base@{'1' * 40}"
    asked = len(hub.requests)
    second = diffs.open("alice/diff@main", alice)
    assert not [each for each in hub.requests[asked:] if "/resolve/" in each.path]
    assert (diffs.folder(second), len({first, second, "alice/diff"})) == (diffs.folder(first), 3)
    assert len(first) == 24
    for key in ("", "alice/diff", first[:-1], "../../etc"):
        with pytest.raises(SettingError, match="not open here any more"):
            diffs.folder(key)
    again = HubDiffs(tmp_path / "diffs")
    assert again.folder(again.open("alice/diff", NOBODY)) == diffs.folder(first)
    with pytest.raises(SettingError, match="not open here any more"):
        again.folder(first)


def test_who_may_read_it_is_asked_each_time(hub: LocalHub, alice: Visitor, tmp_path: Path) -> None:
    diffs = HubDiffs(tmp_path / "diffs")
    diffs.open("alice/diff", NOBODY)
    hub.make_private("alice/diff", "dataset")
    for visitor in (NOBODY, Visitor(hub.add_user("bob"))):
        with pytest.raises(SignInError, match="alice/diff does not exist, is private"):
            diffs.open("alice/diff", visitor)
    assert diffs.open("alice/diff", alice)
    with pytest.raises(SignInError, match="sign in with an account"):
        diffs.open("alice/diff", Visitor(rules=OWN_MACHINE))  # acts with the machine's own login, which is not alice
    hub.faults.add("GET", "/auth-check", 503)
    with pytest.raises(HubError, match="503"):
        diffs.open("alice/diff", alice)


def test_no_name_is_a_path(tmp_path: Path) -> None:
    (tmp_path / "alice" / "diff").mkdir(parents=True)
    diffs = HubDiffs(tmp_path / "diffs")
    for name in ("", "alice", str(tmp_path), "../alice/diff", "./diff", "~/diff", "a/b/c", "a/b@c@d", "a/b\n", "a /b"):
        with pytest.raises(SettingError, match="expected the name of a dataset"):
            diffs.open(name, NOBODY)
    with pytest.raises(SignInError, match="alice/diff does not exist"):
        diffs.open("alice/diff", NOBODY)


def test_what_is_too_large_is_refused_before_it_is_downloaded(hub: LocalHub, alice: Visitor, tmp_path: Path) -> None:
    asked = len(hub.requests)
    with pytest.raises(LimitError, match="alice/diff has 0 MB: expected at most 0 MB here"):
        HubDiffs(tmp_path / "none", most=1).open("alice/diff", NOBODY)
    assert not [each for each in hub.requests[asked:] if "/resolve/" in each.path]
    api = hub_api(alice.token)
    (document,) = api.get_paths_info("alice/diff", ["report/report.json"], repo_type="dataset")
    with pytest.raises(LimitError, match="expected at most"):
        HubDiffs(tmp_path / "document", most=document.size).open("alice/diff", NOBODY)
    fetched = [each.path for each in hub.requests[asked:] if each.method == "GET" and "/resolve/" in each.path]
    assert [path.rsplit("/", 1)[1] for path in fetched] == ["report.json"]
    assert list((tmp_path / "document").iterdir()) == []
    api.create_repo("alice/empty", repo_type="dataset")
    with pytest.raises(HubError, match=r"alice/empty has no report/report\.json"):
        HubDiffs(tmp_path / "diffs").open("alice/empty", NOBODY)


def test_the_disk_keeps_those_opened_last(hub: LocalHub, alice: Visitor, tmp_path: Path) -> None:
    api = hub_api(alice.token)
    for number in range(3):
        push_report(report_of(b=f"org/tuned-{number}"), f"alice/diff-{number}", api=api)
    diffs = HubDiffs(tmp_path / "diffs", kept=1)
    keys = [diffs.open(f"alice/diff-{number}", NOBODY) for number in range(3)]
    assert len(list((tmp_path / "diffs").iterdir())) == 1
    assert diffs.folder(keys[2]).is_dir()
    with pytest.raises(SettingError, match="reload the page"):
        diffs.folder(keys[0])


def test_published_diffs_of_a_pair(hub: LocalHub, alice: Visitor, tmp_path: Path) -> None:
    api = hub_api(alice.token)
    push_report(report_of("org/tuned", "org/base"), "alice/turned", api=api)
    push_report(report_of("org/base", "org/base"), "alice/itself", api=api)
    push_report(report_of("org/base", "org/other"), "alice/other", api=api)
    push_report(report_of(), "alice/own", api=api, private=True)
    diffs = HubDiffs(tmp_path / "diffs")

    def names(a: str, b: str, visitor: Visitor = NOBODY) -> list[str]:
        return [each.repo_id for each in diffs.published(a, b, visitor)]

    assert names("org/base", " org/tuned ") == ["alice/turned", "alice/diff"]
    assert names("org/tuned", "org/base", alice) == ["alice/own", "alice/turned", "alice/diff"]
    assert names("org/base", "org/base") == ["alice/itself"]
    assert names("org/base@111", "org/tuned") == ["alice/diff"]
    assert names("org/base@222", "org/tuned") == ["alice/turned"]
    assert names("org/base@main", "org/tuned") == names("org/base", "") == names("/srv/x", "openai:y") == []
    (told,), report = diffs.published("org/base", "org/base", NOBODY), report_of()
    confirmed = sum(finding.confirmed for finding in report.findings)
    assert (told.prompts, told.findings, told.confirmed) == (22, len(report.findings), confirmed)
    assert told.differences == len(index_of(report).differences)
    asked = len(hub.requests)
    names("org/tuned", "org/base", alice)
    assert len(hub.requests) == asked, "remembered"
    hub.faults.add("GET", "/api/datasets$", 503)
    assert names("org/other", "org/base") == []
