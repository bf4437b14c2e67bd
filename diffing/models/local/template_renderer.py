"""Renders chat templates in a separate process, so that none can hang or crash this one, or take its memory.

Templates are untrusted programs, and a single step of one, such as `9**(9**9)`, cannot be stopped within its process.
What transformers does around it (special tokens, marks on the text of users, tokens) stays in this process.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

from diffing.jobs import CLOCK_PER_PROCESSOR_SECOND

SECONDS = 10.0
"""Processor time for one conversation, which takes a template about a millisecond."""
MEMORY = 512 * 2**20
"""Bytes for one conversation, which takes a template a few thousand; `{{ 'x' * 10**9 }}` takes a gigabyte."""
_MEMORY_PER_CHARACTER = 2**7
"""Bytes on top for each character of a conversation, which is copied several times."""
MOST_ADDED = 1_000_000
"""Characters that a template may add to twice those of the conversation. Templates describe roles, dates, and tools in
thousands; a tokenizer needs hundreds of bytes for each."""
_TOO_LONG = -getattr(signal, "SIGPROF", 0) or None
"""The exit status of a process that computed for too long; Windows does not limit it."""
_REPLACED = "render_jinja_template"
"""The function of transformers that renders, whose place ours takes."""


class TemplateFailedError(Exception):
    """A template failed or reached a limit; the message says how."""


class TemplateRenderer:
    """Renders templates in another process, which is started when it is first needed, and again after it ended.

    It is thread-safe; one conversation is rendered at a time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._last = (b"", "")
        """The last order and its text: a conversation is rendered to be checked, and again at once as tokens."""
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def render(self, template: str, variables: Mapping[str, Any]) -> str:
        """Renders a template.

        Args:
            template: A Jinja template, as for transformers.
            variables: The variables of the template, made of plain JSON types; `messages` is the conversation.

        Raises:
            TemplateFailedError: It failed, or exceeded a limit of time, memory or length.
        """
        said = sum(map(_characters, variables["messages"]))
        order = {
            "template": template,
            "variables": variables,
            "said": said,
            "most": MOST_ADDED + 2 * said,
            "seconds": SECONDS,
            "memory": MEMORY + _MEMORY_PER_CHARACTER * said,
        }
        line = json.dumps(order).encode() + b"\n"
        with self._lock:
            if line == self._last[0]:
                return self._last[1]
            try:
                reply = self._ask(line)
            except BaseException:  # an interruption too: this reply must not be taken for the next one
                self.close()
                raise
            if "text" not in reply:
                raise TemplateFailedError(str(reply["problem"]))
            self._last = line, str(reply["text"])
            return self._last[1]

    def close(self) -> None:
        """Ends the process."""
        if (process := self._process) is None:
            return
        self._process = None
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # what was not written yet cannot be
                pipe.close()  # type: ignore[union-attr]
        process.wait()

    def _ask(self, order: bytes) -> dict[str, Any]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = _start()
        process, late = self._process, threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(CLOCK_PER_PROCESSOR_SECOND * SECONDS, give_up)
        timer.daemon = True
        timer.start()
        try:
            reply = _exchange(process, order)
        finally:
            timer.cancel()
        if reply is not None:
            return reply
        if late.is_set() or process.wait() == _TOO_LONG:
            raise TemplateFailedError(f"it takes longer than {SECONDS:.0f} s")
        raise TemplateFailedError("it ends the process that renders it")

    def _forget(self) -> None:
        """In a fork, the process is that of the parent."""
        if self._process is not None:
            self._process.returncode = 0  # nothing to wait for
        self._lock, self._process = threading.Lock(), None


def _start() -> "subprocess.Popen[bytes]":
    # it gets no environment variable that could hold a secret, and no signal that is for this process
    environment = {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    environment |= {each: os.environ[each] for each in ("PATH", "LD_LIBRARY_PATH", "TZ") if each in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-P", str(Path(__file__).with_name("template_process.py"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=environment, start_new_session=True,
    )  # fmt: skip
    _exchange(process, b"")  # it says that it is there
    return process


def _exchange(process: "subprocess.Popen[bytes]", order: bytes) -> dict[str, Any] | None:
    """Sends a line and reads one; None if the process ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(order)
        process.stdin.flush()
    except BrokenPipeError:
        return None
    line = process.stdout.readline()
    if not line.endswith(b"\n"):
        return None
    reply: dict[str, Any] = json.loads(line)
    return reply


def _characters(message: Mapping[str, Any]) -> int:
    """The length of a message, whose content is a text or a list of parts."""
    content = message["content"]
    return len(content) if isinstance(content, str) else sum(len(part["text"]) for part in content)


_renderer = TemplateRenderer()


def _render_jinja_template(
    conversations: Sequence[Sequence[Mapping[str, Any]]], chat_template: str, **variables: object
) -> tuple[list[str], list[None]]:
    """Renders conversations as the function of this name in transformers does, for what we ask of it."""
    for name in ("return_assistant_tokens_mask", "continue_final_message"):
        if variables.pop(name, False):
            raise TypeError(f"{name} is not supported")
    return [_renderer.render(chat_template, {"messages": each, **variables}) for each in conversations], []


@cache
def bounded_apply_chat_template() -> Callable[..., Any]:
    """Makes a copy of transformers' `PreTrainedTokenizerBase.apply_chat_template` that renders in the other process.

    Raises:
        RuntimeError: This release of transformers renders by another function.
    """
    import transformers

    original = transformers.PreTrainedTokenizerBase.apply_chat_template
    if not isinstance(original, FunctionType) or _REPLACED not in original.__code__.co_names:
        raise RuntimeError(
            f"transformers {transformers.__version__} renders chat templates by functions that are not known here: "
            "install an earlier release"
        )
    names = {**original.__globals__, _REPLACED: _render_jinja_template}
    copy = FunctionType(original.__code__, names, original.__name__, original.__defaults__, original.__closure__)
    copy.__kwdefaults__ = original.__kwdefaults__
    return copy
