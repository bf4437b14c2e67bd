"""The state that all visitors of one app share: settings, runs, open reports, and cached answers of the Hub."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diffing.config import DiffConfig
from diffing.errors import SettingError
from diffing.view.examples import example_folder
from diffing.view.page_query import PageAddress, What
from diffing.view.preflight import ModelSuggester, RunPreviewer
from diffing.view.published_diffs import HubDiffs
from diffing.view.result.report_cache import ReportCache
from diffing.view.run_owners import RunOwners
from diffing.view.runs import OWN_MACHINE, PUBLIC, RunManager, VisitorRules
from diffing.view.visitor import Visitor
from diffing.view.zero import zero_gpu
from diffing.view.zero.gpu_limits import is_local

if TYPE_CHECKING:
    import fastapi
    import gradio

_RUN, _EXAMPLE, _DIFF = "run ", "example ", "diff "
"""Prefixes of the keys of results."""


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """How the app is served."""

    folder: Path
    """The folder of the runs, their reports and their completions."""
    rules: VisitorRules = PUBLIC
    """What visitors may ask for."""
    workers: int = 2
    """Maximum number of runs at a time."""
    sign_in: bool = False
    """Whether visitors can sign in with their Hub accounts. Only a Space can offer this."""


def settings_from(
    environment: Mapping[str, str], *, public: bool | None = None, folder: Path | None = None
) -> SiteSettings:
    """Reads the settings for `python app.py` and `diffing serve`, on a Space and on your own machine.

    A Space serves strangers and keeps its data in a folder that survives a restart, if it has one. On your own machine,
    the page acts for the account that started it, with that account's files and login.

    Args:
        environment: The environment variables. `DIFFING_SITE` names the folder and `DIFFING_WORKERS` the number of
            parallel runs (default: 2, or 1 on a machine with a GPU). The Hub sets `SYSTEM`, `SPACE_ID` and
            `OAUTH_CLIENT_ID`.
        public: Whether strangers are served; None means only on a Space. Strangers get a folder of their own, because
            runs begun on your own machine have more permissions.
        folder: The folder of the runs; overrides the environment.

    Raises:
        SettingError: `DIFFING_WORKERS` is not a valid number of runs.
    """
    space = in_space(environment)
    strangers = space if public is None else public
    kept = Path("/data") if space and os.access("/data", os.W_OK) else Path.home() / ".cache"
    named = Path(environment.get("DIFFING_SITE") or kept / "diffing-site").expanduser()
    if strangers and not space:
        named = named.with_name(f"{named.name}-public")
    # two runs on one GPU would compete for its memory
    has_gpu = shutil.which("nvidia-smi", path=environment.get("PATH")) is not None
    workers = environment.get("DIFFING_WORKERS", "1" if has_gpu else "2")
    if not (workers.isascii() and workers.isdecimal() and len(workers) < 4 and 1 <= int(workers) <= 64):
        raise SettingError(f"DIFFING_WORKERS is {workers!r:.40}: expected a number of parallel runs from 1 to 64")
    return SiteSettings(
        folder=folder or named,
        rules=PUBLIC if strangers else OWN_MACHINE,
        workers=int(workers),
        sign_in=space and bool(environment.get("OAUTH_CLIENT_ID")),
    )


def in_space(environment: Mapping[str, str]) -> bool:
    """Whether this process runs on a Space of the Hub.

    Args:
        environment: The environment variables of the app.
    """
    return environment.get("SYSTEM") == "spaces" and bool(environment.get("SPACE_ID"))


class Site:
    """One app. All visitors' threads share it."""

    def __init__(self, settings: SiteSettings) -> None:
        """Resumes the runs that were unfinished when the folder was last used.

        Raises:
            SettingError: Another process uses the folder.
        """
        self.settings = settings
        """How the app is served."""
        self.run_manager = RunManager(
            settings.folder, workers=settings.workers, rules=settings.rules, lends=_on_lent_gpu
        )
        """The runs of all visitors."""
        self.run_owners = RunOwners()
        """Names the owner of each visitor's runs."""
        self.suggester, self.previewer = ModelSuggester(), RunPreviewer()
        """Model search and run estimates for the start page."""
        self.diffs = HubDiffs(settings.folder / "diffs")
        """Diffs from the Hub."""
        self.report_cache = ReportCache(self.folder_of)
        """Reports that visitors are looking at."""

    def visitor(self, request: "gradio.Request | fastapi.Request", token: "gradio.OAuthToken | None") -> Visitor:
        """The visitor who sent a request.

        Args:
            request: The request of an event, or of a question from a page's script.
            token: The token from signing in; None if the visitor is not signed in.
        """
        return Visitor(
            token.token if token else None,
            self.settings.rules,
            address_of(request),
            can_sign_in=self.settings.sign_in,
            scopes=frozenset(token.scope.split()) if token else None,
        )

    def key_of_run(self, run_id: str) -> str:
        """The key of a run's result."""
        return f"{_RUN}{run_id}"

    def key_of_example(self, name: str) -> str:
        """The key of a diff that ships with the app."""
        return f"{_EXAMPLE}{name}"

    def key_of_diff(self, repo_id: str, visitor: Visitor) -> str:
        """The key of a diff on the Hub, which is downloaded unless a copy is here.

        Args:
            repo_id: `user/name[@revision]`.
            visitor: The visitor who wants to read it.

        Raises:
            HubError: There is no such diff that this visitor may read.
        """
        return f"{_DIFF}{self.diffs.open(repo_id, visitor)}"

    def place_of(self, key: str, diff: str = "") -> PageAddress:
        """The address of a result, for links to it.

        Args:
            key: The key of the result.
            diff: The name of the dataset, if the key stands for a diff on the Hub.
        """
        prefixes: tuple[tuple[What, str], ...] = (("run", _RUN), ("example", _EXAMPLE))
        for what, prefix in prefixes:
            if key.startswith(prefix):
                return PageAddress(what, key.removeprefix(prefix))
        return PageAddress("diff", diff)

    def folder_of(self, key: str) -> Path:
        """The folder of a result. Keys come from browsers and may be anything.

        Raises:
            SettingError: No result has this key.
        """
        if key.startswith(_EXAMPLE):
            return example_folder(key.removeprefix(_EXAMPLE))
        if key.startswith(_DIFF):
            return self.diffs.folder(key.removeprefix(_DIFF))
        state = self.run_manager.state(key.removeprefix(_RUN)) if key.startswith(_RUN) else None
        if state is None or state.report is None:
            raise SettingError("There is no such result. Expected one that was computed here: open another result")
        return state.report

    def close(self) -> None:
        """Stops all runs. A site opened later on the same folder resumes them."""
        self.run_manager.close()


def address_of(request: "gradio.Request | fastapi.Request") -> str:
    """The network address of a request as the server sees it. Headers count only if a trusted proxy added them.

    Args:
        request: The request of an event, or of a question from a page's script.
    """
    client: Any = request.client
    return str(client.host) if client else ""


def _on_lent_gpu(config: DiffConfig) -> bool:
    """Whether a run's models answer on a GPU that ZeroGPU lends to the visitor."""
    return zero_gpu() and any(map(is_local, (config.model_a, config.model_b)))
