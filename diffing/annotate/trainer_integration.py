"""Adds the card section from training code, when a transformers Trainer pushes its model.

The Trainer notifies callbacks when a push begins but not when it has ended, and its last push writes a new card. So
there are two ways: `annotate_on_push(trainer)` if the script calls `trainer.push_to_hub()`, and `annotation_callback()`
if the model is only pushed during training. Errors are logged and never interrupt the training.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huggingface_hub import HfApi

from diffing.annotate.annotator import diff_of, publish
from diffing.annotate.compared_models import choose_comparison
from diffing.annotate.settings import AnnotatorSettings
from diffing.annotate.webhook_payload import IgnoredPush, ModelPush
from diffing.annotate.worker import one_line
from diffing.errors import DiffingError, HubError, MissingExtraError
from diffing.hub import head_of, hub_api, hub_errors, user_name
from diffing.types import ignore_progress

if TYPE_CHECKING:
    from transformers import Trainer, TrainerCallback

_log = logging.getLogger(__name__)

_MAIN = (None, "main")
_LOOK_EVERY = 2.0
"""Seconds between two checks for the commit of a push."""
_LATEST = 10
"""Number of latest commits that are searched for it."""


def annotate_on_push(trainer: "Trainer", settings: AnnotatorSettings | None = None) -> None:
    """Makes `trainer.push_to_hub()` add the section to the card after it has pushed, on the main process only.

    The pushed model is compared with the base_model that its card names, which the Trainer writes there. Both models
    are loaded again in addition to the trained one. With `blocking=False`, the uploading thread does this. With several
    processes, the others do not wait, so no collective operation may follow.

    Args:
        trainer: The Trainer, whose method is replaced.
        settings: The settings of the comparison; None compares with the base model and commits to the card.
    """
    push: Callable[..., Any] = trainer.push_to_hub
    chosen = settings or AnnotatorSettings(card="commit")

    @wraps(push)
    def push_and_annotate(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - same signature as the replaced method
        pushed = push(*args, **kwargs)
        if pushed is None:  # this is not the main process
            return pushed
        revision = kwargs.get("revision") or trainer.args.hub_revision
        if revision not in _MAIN:
            _log.warning("diffing: no section, since the push went to %s and not to main", revision)
        elif hasattr(pushed, "add_done_callback"):
            pushed.add_done_callback(lambda future: _annotate_last(trainer, chosen) if not future.exception() else None)
        else:
            _annotate_last(trainer, chosen)
        return pushed

    trainer.push_to_hub = push_and_annotate  # type: ignore[method-assign]


def annotation_callback(settings: AnnotatorSettings | None = None, *, patience: float = 600.0) -> "TrainerCallback":
    """Returns a callback that adds the section for the last push during training, when training has ended.

    Use it with `TrainingArguments(push_to_hub=True)` and without `trainer.push_to_hub()` afterwards, which would write
    a new card without the section. Only the main process waits for it. With several processes, no collective operation
    may follow, or their timeout must be longer.

    Args:
        settings: The settings of the comparison; None compares with the base model and commits to the card.
        patience: Maximum number of seconds to wait for the last upload.

    Raises:
        MissingExtraError: transformers is not installed.
    """
    try:
        from transformers import TrainerCallback
    except ImportError:
        raise MissingExtraError("The callback", "local") from None

    class AnnotationCallback(TrainerCallback):
        """Records the pushes, and annotates the last one."""

        def __init__(self) -> None:
            self._title: str | None = None
            self._before: str | None = None

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401
            if state.is_world_process_zero and args.push_to_hub:
                with _log_failures():
                    self._before = _newest(hub_api(args.hub_token), args)

        def on_push_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401
            self._title = _title(args, state)

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401
            if not state.is_world_process_zero or not args.push_to_hub:
                return
            if self._title is None or args.hub_revision not in _MAIN:
                _log.warning("diffing: no section, since nothing was pushed to main during training")
                return
            with _log_failures():
                api = hub_api(args.hub_token)
                repository = _repository(api, args)
                commit = _wait_for_commit(api, repository, self._title, self._before, patience)
                annotate(api, repository, commit, settings or AnnotatorSettings(card="commit"))

    return AnnotationCallback()


def annotate(api: HfApi, repository: str, commit: str, settings: AnnotatorSettings) -> None:
    """Compares one revision, publishes the findings, and logs the outcome.

    Raises:
        DiffingError: The user can fix the problem.
    """
    comparison = choose_comparison(api, ModelPush(repository, commit, None), settings.against)
    if isinstance(comparison, IgnoredPush):
        _log.warning("diffing: no section for %s: %s", repository, comparison.reason)
        return
    report = diff_of(settings, repository, comparison, ignore_progress)
    done, _ = publish(api, settings, repository, comparison, report)
    _log.info("diffing: %s %s", done.remark, done.dataset)


def _annotate_last(trainer: "Trainer", settings: AnnotatorSettings) -> None:
    with _log_failures():
        api, repository = hub_api(trainer.args.hub_token), str(trainer.hub_model_id)
        annotate(api, repository, head_of(api, repository), settings)


@contextmanager
def _log_failures() -> Iterator[None]:
    """Logs every error instead of raising it, because a failed annotation must not end a training."""
    try:
        yield
    except DiffingError as error:
        _log.warning("diffing: no section: %s", one_line(error))
    except Exception:  # noqa: BLE001 - neither a full disk or memory nor a bug may end a training
        _log.exception("diffing: no section")


def _title(args: Any, state: Any) -> str:  # noqa: ANN401 - transformers' own
    """Returns the title that the Trainer gives to the commit of a push during training."""
    if args.save_strategy == "steps":
        return f"Training in progress, step {state.global_step}"
    return f"Training in progress, epoch {int(state.epoch)}"


def _repository(api: HfApi, args: Any) -> str:  # noqa: ANN401 - transformers' own
    """Returns the repository to which the Trainer pushes."""
    name = args.hub_model_id or Path(args.output_dir).absolute().name
    return name if "/" in name else f"{user_name(api)}/{name}"


def _newest(api: HfApi, args: Any) -> str | None:  # noqa: ANN401 - transformers' own
    """Returns the commit before the first push; None if there is none.

    Raises:
        HubError: The Hub cannot be reached, or refuses.
    """
    repository = _repository(api, args)
    try:
        return head_of(api, repository)
    except HubError as error:
        if error.status not in (401, 404):
            raise
        return None


def _wait_for_commit(api: HfApi, repository: str, title: str, before: str | None, patience: float) -> str:
    """Waits for the commit of the last push, which a thread of the Trainer may still be uploading.

    Only commits after `before` count, because an earlier training may have pushed the same step to this repository.

    Raises:
        HubError: The commit did not arrive in time.
    """
    until = time.monotonic() + patience
    while True:
        with hub_errors(repository):
            newest = islice(api.list_repo_commits(repository), _LATEST)
            for each in takewhile(lambda one: one.commit_id != before, newest):
                if each.title == title:
                    return str(each.commit_id)
        if time.monotonic() > until:
            raise HubError(f"The last push to {repository} did not arrive within {patience:.0f} seconds")
        time.sleep(_LOOK_EVERY)
