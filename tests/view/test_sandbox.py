"""What is long or large is worked on in another process, with the same outcome."""

import subprocess
import sys
from pathlib import Path

import pytest

from diffing.errors import SettingError
from diffing.outputs.card import edit
from diffing.outputs.card.edit import OptedOutError
from diffing.outputs.downloads import FORMATS
from diffing.report import save_report
from diffing.view import card_editing, download_writer, report_size
from tests.outputs.card.corpus import NEW
from tests.outputs.samples import medium_report

LONG = b"# Tern\n\n" + b"words and words\n\n" * (card_editing.SHORT // 10)


def test_a_long_card_is_edited_apart_as_a_short_one_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    short = "# Tern 🦜\n".encode()
    assert card_editing.edit_in_sandbox(short, NEW) == edit(short, NEW)
    expected = edit(LONG, NEW)
    # whatever the other process does, this one does not read the card
    monkeypatch.setattr(card_editing, "edit", None)
    assert card_editing.edit_in_sandbox(LONG, NEW) == expected


@pytest.mark.usefixtures("quick_apart")
def test_what_is_refused_apart_is_refused_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_editing, "edit", None)
    with pytest.raises(OptedOutError, match="opts out of this section"):
        card_editing.edit_in_sandbox(LONG + b"<!-- model-diff: off -->\n", NEW)
    with pytest.raises(SettingError, match="ends inside <details> that is not closed"):
        card_editing.edit_in_sandbox(LONG + b"<details>\n", NEW)
    monkeypatch.setattr(card_editing, "_SECONDS", 1.0)
    with pytest.raises(SettingError, match=r"takes too long to process here\. Nothing was written"):
        card_editing.edit_in_sandbox(b"- a\n" * 200_000, NEW)


@pytest.mark.usefixtures("quick_apart")
def test_files_of_a_large_report_are_made_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = medium_report(train=20, heldout=20)
    save_report(report, tmp_path / "report")
    (tmp_path / "here").mkdir()
    (tmp_path / "apart").mkdir()
    here = download_writer.write_download(tmp_path / "report", report, FORMATS["csv"], tmp_path / "here")
    monkeypatch.setitem(report_size._LIGHT, "pairs", 39)
    apart = download_writer.write_download(tmp_path / "report", report, FORMATS["csv"], tmp_path / "apart")
    assert apart == tmp_path / "apart" / here.name
    assert apart.read_bytes() == here.read_bytes()
    with pytest.raises(SettingError, match="takes too long or too much memory here"):
        download_writer.write_download(tmp_path / "gone", report, FORMATS["csv"], tmp_path / "apart")


AS_ON_WINDOWS = """
import os, sys
from pathlib import Path
for name in ("resource", "gradio", "cachetools"):
    sys.modules[name] = None
del os.nice
from diffing.errors import DiffingError
from diffing.jobs import keep_within_bounds
from diffing.models.recorded import upload_sandbox
from diffing.view import open_site
from diffing.view.site import settings_from
sys.platform = "win32"
keep_within_bounds(memory=1, seconds=1, can_write=False)
for public in (True, False):
    try:
        open_site(settings_from({}, public=public, folder=Path(sys.argv[1])))
    except DiffingError as error:
        print(error)
"""


def test_without_limits_of_the_system_strangers_are_refused_and_without_the_extra_everybody_in_a_line(
    tmp_path: Path,
) -> None:
    told = subprocess.run([sys.executable, "-c", AS_ON_WINDOWS, tmp_path], capture_output=True, text=True)
    strangers, owner = told.stdout.splitlines()
    assert strangers.startswith("This system cannot serve strangers")
    assert owner.endswith('pip install "diffing[app]"')
