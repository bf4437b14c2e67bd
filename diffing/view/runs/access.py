"""Whether a visitor may read what a run names, asked of the Hub for each run.

Files that one visitor may read lie in the cache of a machine that many share; the libraries take them from there
without asking again.
"""

from diffing.config import DiffConfig
from diffing.errors import DiffingError, HubError, SettingError
from diffing.hub import BoundedApi, hub_api, hub_errors
from diffing.methods.base import method_plans
from diffing.paths import existing
from diffing.view.runs.uploads import is_upload

_REFUSED = (401, 403, 404)
"""The Hub's answers to somebody who may not read a repository, or may not know of it."""


_PROVIDERS = "providers:"


class SignInError(DiffingError):
    """Only somebody who signs in, or signs in as somebody else, can go on."""


def check_access(config: DiffConfig, token: str | None) -> None:
    """Makes sure that the visitor may read every repository that a run names, and has what it needs to ask providers.

    Args:
        config: The run.
        token: The visitor's; None for one who is not signed in.

    Raises:
        SignInError: Not signed in, or not as somebody who may.
        HubError: The Hub cannot be reached.
    """
    check_signed_in(config, token)
    api = hub_api(token or False)
    for kind, repo_id in repositories(config):
        may_read(api, kind, repo_id, signed_in=token is not None)
    for spec in _models(config):
        if spec.startswith(_PROVIDERS):
            _may_see(api, spec.removeprefix(_PROVIDERS).partition(":")[0])


def check_signed_in(config: DiffConfig, token: str | None) -> None:
    """Makes sure that a run that asks providers has a token to do so.

    Raises:
        SignInError: It has none.
    """
    if token is None and any(spec.startswith(_PROVIDERS) for spec in _models(config)):
        raise SignInError("Inference Providers answer only those who are signed in, in their own name: sign in")


def may_read(api: BoundedApi, kind: str, repo_id: str, *, signed_in: bool) -> None:
    """Makes sure that the Hub lets somebody read the files of a repository.

    Args:
        api: Acts for them.
        kind: `model` or `dataset`.
        repo_id: `org/name`.
        signed_in: Whether they gave a token.

    Raises:
        SignInError: They may not.
        HubError: The Hub cannot be reached.
    """
    try:
        with hub_errors(repo_id, repo_type=kind):
            api.auth_check(repo_id, repo_type=kind)
    except HubError as error:
        if error.status not in _REFUSED:
            raise
        who = "sign in with an account that may read it" if signed_in else "sign in"
        raise SignInError(
            f"{repo_id} does not exist, is private, or is gated and you were not let in: check the name, ask for "
            f"access at https://huggingface.co/{'datasets/' if kind == 'dataset' else ''}{repo_id}, or {who}"
        ) from None


def _may_see(api: BoundedApi, repo_id: str) -> None:
    """Makes sure that a model that providers answer for is no secret to somebody: what it answered others is here."""
    try:
        with hub_errors(repo_id):
            api.model_info(repo_id, expand=["sha"])
    except HubError as error:
        if error.status not in _REFUSED:
            raise
        raise SignInError(
            f"{repo_id} does not exist, or is private: check the name, or sign in with an account that may see it"
        ) from None


def repositories(config: DiffConfig) -> list[tuple[str, str]]:
    """Kind (`model` or `dataset`) and name of every repository of the Hub that a run reads, each once.

    Raises:
        SettingError: A name of which it cannot be told.
    """
    found: list[tuple[str, str]] = []
    loaded = [spec for plan in method_plans().values() for spec in plan.loads(config).values()]
    embedder = None if config.embedder in ("auto", "tfidf") else config.embedder
    for spec in (*_models(config), *loaded, embedder or ""):
        if is_upload(spec):
            continue
        if spec.startswith("recorded:"):
            found += _dataset(spec.removeprefix("recorded:"))
        elif spec and not spec.startswith(("providers:", "openai:")):
            found += _parts(spec.removeprefix("local:"))
    if config.prompts and config.prompts != "bundled":
        found += _dataset(config.prompts)
    return list(dict.fromkeys(found))


def _models(config: DiffConfig) -> list[str]:
    given = (config.model_a, config.model_b, config.llm, config.judge, config.second_judge, *config.rater)
    return [spec for spec in given if spec]


def _parts(spec: str) -> list[tuple[str, str]]:
    from diffing.models.local.spec import HubPart, parse_spec

    return [("model", part.repo_id) for part in parse_spec(spec) if isinstance(part, HubPart)]


def _dataset(source: str) -> list[tuple[str, str]]:
    from diffing.prompts.hub import SOURCE

    if all(existing(part) for part in source.split("+")):  # of the embedded pair, or uploaded: others are refused
        return []
    match = SOURCE.fullmatch(source)
    if match is None:
        raise SettingError(f"{source!r:.60} is no dataset: expected org/name[@revision][:config][/split]")
    return [("dataset", match["repo"])]
