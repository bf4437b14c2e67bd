"""Checks before a visitor's run starts that the Hub lets them read every repository that the run uses.

All visitors share the machine's cache, and the libraries read cached files without asking the Hub again. Without this
check, a visitor could read private files that another visitor downloaded.
"""

from diffing.config import DiffConfig
from diffing.errors import DiffingError, HubError, SettingError
from diffing.hub import BoundedApi, hub_api, hub_errors
from diffing.methods.plan import method_plans
from diffing.model_ref import ModelPlace, parse_spec, read_ref
from diffing.paths import existing
from diffing.prompts.bundled_set import is_bundled
from diffing.view.runs.uploads import is_upload

_REFUSED = (401, 403, 404)
"""Status codes of the Hub if somebody may not read a repository, or may not know that it exists."""


class SignInError(DiffingError):
    """The visitor must sign in, or sign in with another account."""

    def __init__(self, message: str, *, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing
        """Whether the Hub has no repository of this name that the visitor may see."""


def check_access(config: DiffConfig, token: str | None) -> None:
    """Makes sure that the visitor may read every repository of a run, and has the token that Inference Providers need.

    Args:
        config: The run.
        token: The visitor's token; None if they are not signed in.

    Raises:
        SignInError: The visitor is not signed in, or their account may not read a repository.
        HubError: The Hub cannot be reached.
    """
    check_signed_in(config, token)
    api = hub_api(token or False)
    for kind, repo_id in repositories(config):
        may_read(api, kind, repo_id, signed_in=token is not None)
    for ref in map(read_ref, _models(config)):
        if ref.place == ModelPlace.PROVIDERS:
            _may_see(api, ref.name)


def check_signed_in(config: DiffConfig, token: str | None) -> None:
    """Makes sure that there is a token if the run asks Inference Providers.

    Raises:
        SignInError: There is no token.
    """
    if token is None and any(read_ref(spec).place == ModelPlace.PROVIDERS for spec in _models(config)):
        raise SignInError("Inference Providers need an account, which they bill: sign in")


def may_read(api: BoundedApi, kind: str, repo_id: str, *, signed_in: bool) -> None:
    """Makes sure that the Hub lets a visitor read the files of a repository.

    Args:
        api: The Hub client that acts for the visitor.
        kind: `model` or `dataset`.
        repo_id: `org/name`.
        signed_in: Whether the visitor gave a token.

    Raises:
        SignInError: The visitor may not read it.
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
            f"access at https://huggingface.co/{'datasets/' if kind == 'dataset' else ''}{repo_id}, or {who}",
            missing=error.missing,
        ) from None


def _may_see(api: BoundedApi, repo_id: str) -> None:
    """Makes sure that the visitor may know of a model that providers serve.

    The completions cache may hold responses of this model to other visitors.
    """
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
    """Kind (`model` or `dataset`) and name of every Hub repository that a run reads, without duplicates.

    Raises:
        SettingError: It is not known which repository a name stands for.
    """
    found: list[tuple[str, str]] = []
    loaded = [spec for plan in method_plans().values() for spec in plan.loads(config).values()]
    embedder = None if config.embedder in ("auto", "tfidf") else config.embedder
    for spec in (*_models(config), *loaded, embedder or ""):
        if spec and not is_upload(spec):
            found += _read_by(spec)
    if config.prompts and not is_bundled(config.prompts):
        found += _dataset(config.prompts, (config.prompts,))
    return list(dict.fromkeys(found))


def _models(config: DiffConfig) -> list[str]:
    given = (config.model_a, config.model_b, config.llm, config.judge, config.second_judge, *config.rater)
    return [spec for spec in given if spec]


def _read_by(spec: str) -> list[tuple[str, str]]:
    """The repositories that loading a model reads.

    Raises:
        SettingError: It is not known what such a model reads.
    """
    ref = parse_spec(spec)
    if ref.remote:
        return []
    if ref.place == ModelPlace.RECORDED:
        return _dataset(ref.source, (ref.name, *([ref.companion] if ref.companion else [])))
    if not ref.runs_here:
        raise SettingError(f"{spec!r:.60} names a model of an unknown kind: use org/name or providers:org/name here")
    return [("model", part.name) for part in ref.parts if part.place == ModelPlace.HUB]


def _dataset(source: str, files: tuple[str, ...]) -> list[tuple[str, str]]:
    from diffing.prompts.hub import SOURCE

    if all(map(existing, files)):  # files of the demo pair or of an upload; others are refused earlier
        return []
    match = SOURCE.fullmatch(source)
    if match is None:
        raise SettingError(f"{source!r:.60} is not a dataset: expected org/name[@revision][:config][/split]")
    return [("dataset", match["repo"])]
