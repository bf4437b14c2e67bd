"""Annotation from training code: when a Trainer pushes its model, the section goes into the card.

The Trainer tells callbacks that a push begins, not that it has ended, and its last push writes a new card. So there are
two ways: `annotate_on_push(trainer)` where the script calls `trainer.push_to_hub()`, and `annotation_callback()` where
only the pushes during training count. Neither breaks a training: what goes wrong is told in the log.
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
from diffing.annotate.comparison import choose_comparison
from diffing.annotate.settings import AnnotatorSettings
from diffing.annotate.webhook_payload import Ignored, Push
from diffing.annotate.worker import one_line
from diffing.errors import DiffingError, HubError, MissingExtraError
from diffing.hub import head_of, hub_api, hub_errors, user_name
from diffing.types import ignore_progress

if TYPE_CHECKING:
    from transformers import Trainer, TrainerCallback

_log = logging.getLogger(__name__)

_MAIN = (None, "main")
_LOOK_EVERY = 2.0
"""Seconds between two looks for the commit of a push."""
_LATEST = 10
"""Commits among which it is looked for."""


def annotate_on_push(trainer: "Trainer", settings: AnnotatorSettings | None = None) -> None:
    """Makes `trainer.push_to_hub()` add the section to the card after it has pushed, on the main process only.

    The pushed model is compared with the base_model that its card names; the Trainer writes that into the card. Both
    models are loaded again beside the trained one. With `blocking=False` it is done by the thread that uploads. With
    several processes the others do not wait for it: let nothing follow that they do together.

    Args:
        trainer: The Trainer; its method is replaced.
        settings: What is compared and published; None is the base, with a commit on the card.
    """
    push: Callable[..., Any] = trainer.push_to_hub
    chosen = settings or AnnotatorSettings(card="commit")

    @wraps(push)
    def push_and_annotate(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the method it stands for
        pushed = push(*args, **kwargs)
        if pushed is None:  # not the main process
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
    """A callback that adds the section when training has ended, for the last push during training.

    For `TrainingArguments(push_to_hub=True)` without a `trainer.push_to_hub()` afterwards: that would write a new card,
    without the section. The end of the training waits for it, on the main process only: with several processes, let
    nothing follow that they do together, or raise the time that they wait for each other.

    Args:
        settings: What is compared and published; None is the base, with a commit on the card.
        patience: Seconds to wait for the last upload, at most.

    Raises:
        MissingExtraError: transformers is not installed.
    """
    try:
        from transformers import TrainerCallback
    except ImportError:
        raise MissingExtraError("The callback", "local") from None

    class AnnotationCallback(TrainerCallback):
        """Notes the pushes, and annotates the last one."""

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
    """Compares one revision and publishes what was found; says in the log what came of it.

    Raises:
        DiffingError: What can be mended.
    """
    comparison = choose_comparison(api, Push(repository, commit, None), settings.against)
    if isinstance(comparison, Ignored):
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
    """A training goes on, whatever happens here: its results are worth more than a section in a card."""
    try:
        yield
    except DiffingError as error:
        _log.warning("diffing: no section: %s", one_line(error))
    except Exception:  # noqa: BLE001 - the boundary: a full disk or memory, or a bug, must not end a training
        _log.exception("diffing: no section")


def _title(args: Any, state: Any) -> str:  # noqa: ANN401 - transformers' own
    """How the Trainer titles the commit of a push during training."""
    if args.save_strategy == "steps":
        return f"Training in progress, step {state.global_step}"
    return f"Training in progress, epoch {int(state.epoch)}"


def _repository(api: HfApi, args: Any) -> str:  # noqa: ANN401 - transformers' own
    """Where the Trainer pushes to."""
    name = args.hub_model_id or Path(args.output_dir).absolute().name
    return name if "/" in name else f"{user_name(api)}/{name}"


def _newest(api: HfApi, args: Any) -> str | None:  # noqa: ANN401 - transformers' own
    """The commit before the first push; None where there is none.

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
    """The commit of the last push; it may still be on its way, in a thread of the Trainer.

    An earlier training may have pushed the same step to the same repository: only what came after its last commit is
    looked at.

    Raises:
        HubError: It did not arrive in time.
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
