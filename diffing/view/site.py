"""What all visitors of one app share: its folder and rules, the desk of runs, what was opened, what the Hub said."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diffing.config import DiffConfig
from diffing.errors import SettingError
from diffing.view.examples import example_folder
from diffing.view.page_query import Address, What
from diffing.view.preflight import Previews, Suggester
from diffing.view.published_diffs import Diffs
from diffing.view.quotas import Owners
from diffing.view.result.report_cache import Shelf
from diffing.view.runs import OWN_MACHINE, PUBLIC, Desk, Rules
from diffing.view.visitor import Visitor
from diffing.view.zero import zero_gpu
from diffing.view.zero.gpu_limits import is_local

if TYPE_CHECKING:
    import fastapi
    import gradio

_RUN, _EXAMPLE, _DIFF = "run ", "example ", "diff "
"""What keys of results begin with."""


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """How the app is served."""

    folder: Path
    """Where runs, their reports and completions are kept."""
    rules: Rules = PUBLIC
    """What visitors may ask for."""
    workers: int = 2
    """Runs at a time."""
    sign_in: bool = False
    """Whether visitors sign in with their accounts of the Hub: only a Space can offer it."""


def settings_from(
    environment: Mapping[str, str], *, public: bool | None = None, folder: Path | None = None
) -> SiteSettings:
    """How the page is served, on a Space and on a machine of one's own, by `python app.py` and by `diffing serve`.

    A Space is for strangers, with everything in the folder that outlives a restart where there is one. A machine of
    one's own is for the account that runs it, with its files and its login.

    Args:
        environment: `DIFFING_SITE` names the folder, `DIFFING_WORKERS` the runs at a time (2, on a machine with
            a GPU 1); `SYSTEM`, `SPACE_ID` and `OAUTH_CLIENT_ID` are set by the Hub.
        public: Whether strangers are served; None is on a Space alone. They get a folder of their own: runs that were
            begun on a machine of one's own act with more.
        folder: Where runs are kept, whatever the environment says.

    Raises:
        SettingError: `DIFFING_WORKERS` is no number of runs.
    """
    space = in_space(environment)
    strangers = space if public is None else public
    kept = Path("/data") if space and os.access("/data", os.W_OK) else Path.home() / ".cache"
    named = Path(environment.get("DIFFING_SITE") or kept / "diffing-site").expanduser()
    if strangers and not space:
        named = named.with_name(f"{named.name}-public")
    # two runs on one GPU would take each other's memory
    has_gpu = shutil.which("nvidia-smi", path=environment.get("PATH")) is not None
    workers = environment.get("DIFFING_WORKERS", "1" if has_gpu else "2")
    if not (workers.isascii() and workers.isdecimal() and len(workers) < 4 and 1 <= int(workers) <= 64):
        raise SettingError(f"DIFFING_WORKERS is {workers!r:.40}: expected runs at a time, 1 to 64")
    return SiteSettings(
        folder=folder or named,
        rules=PUBLIC if strangers else OWN_MACHINE,
        workers=int(workers),
        sign_in=space and bool(environment.get("OAUTH_CLIENT_ID")),
    )


def in_space(environment: Mapping[str, str]) -> bool:
    """Whether strangers are served: the Hub starts its Spaces so.

    Args:
        environment: Of the app.
    """
    return environment.get("SYSTEM") == "spaces" and bool(environment.get("SPACE_ID"))


class Site:
    """One app. Threads of all visitors share it."""

    def __init__(self, settings: SiteSettings) -> None:
        """Goes on with the runs that were unfinished when the folder was last used.

        Raises:
            SettingError: Another process owns the folder.
        """
        self.settings = settings
        """How it is served."""
        self.desk = Desk(settings.folder, workers=settings.workers, rules=settings.rules, lends=_on_lent_gpu)
        """Runs."""
        self.owners = Owners()
        """Whose they are."""
        self.suggester, self.previews = Suggester(), Previews()
        """Answers of the start page."""
        self.diffs = Diffs(settings.folder / "diffs")
        """Diffs opened from the Hub."""
        self.shelf = Shelf(self.folder_of)
        """Reports that are being looked at."""

    def visitor(self, request: "gradio.Request | fastapi.Request", token: "gradio.OAuthToken | None") -> Visitor:
        """Who asks.

        Args:
            request: Of the event, or of a question of a page's script.
            token: What the visitor signed in with; None for one who did not.
        """
        return Visitor(
            token.token if token else None,
            self.settings.rules,
            address_of(request),
            can_sign_in=self.settings.sign_in,
            scopes=frozenset(token.scope.split()) if token else None,
        )

    def key_of_run(self, run_id: str) -> str:
        """The key of the result of a run."""
        return f"{_RUN}{run_id}"

    def key_of_example(self, name: str) -> str:
        """The key of a diff that ships with the app."""
        return f"{_EXAMPLE}{name}"

    def key_of_diff(self, repo_id: str, visitor: Visitor) -> str:
        """The key of a diff on the Hub, which is downloaded where it is not yet here.

        Args:
            repo_id: `user/name[@revision]`.
            visitor: Who wants to read it.

        Raises:
            HubError: There is none that this visitor may read.
        """
        return f"{_DIFF}{self.diffs.open(repo_id, visitor)}"

    def place_of(self, key: str, diff: str = "") -> Address:
        """The address under which a result is found again.

        Args:
            key: Of the result.
            diff: Its dataset, where the key is that of a diff on the Hub.
        """
        prefixes: tuple[tuple[What, str], ...] = (("run", _RUN), ("example", _EXAMPLE))
        for what, prefix in prefixes:
            if key.startswith(prefix):
                return Address(what, key.removeprefix(prefix))
        return Address("diff", diff)

    def folder_of(self, key: str) -> Path:
        """The folder of a result. Keys come from browsers.

        Raises:
            SettingError: There is none of that key.
        """
        if key.startswith(_EXAMPLE):
            return example_folder(key.removeprefix(_EXAMPLE))
        if key.startswith(_DIFF):
            return self.diffs.folder(key.removeprefix(_DIFF))
        state = self.desk.state(key.removeprefix(_RUN)) if key.startswith(_RUN) else None
        if state is None or state.report is None:
            raise SettingError("There is no such result. Expected one that was computed here: open another one")
        return state.report

    def close(self) -> None:
        """Ends all runs; a site on the same folder goes on with them."""
        self.desk.close()


def address_of(request: "gradio.Request | fastapi.Request") -> str:
    """Where a request comes from, as the server sees it: of what a header says only what a proxy that it trusts adds.

    Args:
        request: Of an event, or of a question of a page's script.
    """
    client: Any = request.client
    return str(client.host) if client else ""


def _on_lent_gpu(config: DiffConfig) -> bool:
    """Whether models of a run answer on a GPU that is lent to the visitor alone."""
    return zero_gpu() and any(map(is_local, (config.model_a, config.model_b)))
