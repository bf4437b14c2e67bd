"""The process that renders chat templates, which are untrusted programs: it gets one conversation a line, and answers.

`template_renderer` starts it. Nothing but the standard library and Jinja is imported, so that it starts in a moment.
"""

import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Template, nodes
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

_ALLOCATED = Path("/proc/self/statm")


def main() -> None:
    """Answers every order on standard input, each in a line of JSON, with `{"text": ...}` or `{"problem": ...}`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that waits for the answers decides what happens then
    _say({})
    for line in sys.stdin.buffer:
        _say(_answer(json.loads(line)))


def _say(reply: dict[str, str]) -> None:
    sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
    sys.stdout.buffer.flush()


def _answer(order: dict[str, Any]) -> dict[str, str]:
    try:
        with _within(order["seconds"], order["memory"]):
            text = _compiled(order["template"]).render(order["variables"])
            if len(text) > order["most"]:
                return {"problem": f"it writes {len(text):,} characters for a conversation of {order['said']:,}"}
            return {"text": text}
    except MemoryError:
        return {"problem": f"it takes more than {order['memory'] / 2**20:,.0f} MiB of memory"}
    except Exception as error:  # noqa: BLE001 - a template is a program and fails like one
        return {"problem": str(error)[:1000] or type(error).__name__}


@contextmanager
def _within(seconds: float, memory: int) -> Iterator[None]:
    """The system ends this process if the block computes longer, and refuses it more memory (Linux)."""
    if hasattr(signal, "setitimer"):  # not on Windows
        signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        with _limited(memory):
            yield
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, 0)


@contextmanager
def _limited(memory: int) -> Iterator[None]:
    if not _ALLOCATED.exists():  # another system
        yield
        return
    import resource

    before, most = resource.getrlimit(resource.RLIMIT_DATA)
    set_before = [each for each in (before, most) if each != resource.RLIM_INFINITY]
    allocated = int(_ALLOCATED.read_text("ascii").split()[5]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_DATA, (min([allocated + memory, *set_before]), most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, most))


@lru_cache(maxsize=8)
def _compiled(template: str) -> Template:
    return environment().from_string(template)


class _Generation(Extension):
    """`{% generation %}`, which marks what an assistant says for training."""

    tags = {"generation"}  # noqa: RUF012 - as in the base class

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_unchanged"), [], [], body).set_lineno(line)

    def _unchanged(self, caller: Macro) -> str:
        return caller()


class _Dict:
    """`dict(...)` without the attributes of the class."""

    __call__: Callable[..., dict[Any, Any]] = staticmethod(dict)
    fromkeys = staticmethod(dict.fromkeys)


class _Namespace(Namespace):
    """What `namespace(...)` makes; no attribute begins with an underscore."""

    def __setitem__(self, name: str, value: object) -> None:
        _check_attribute(name)
        super().__setitem__(name, value)


def _namespace(*mappings: Mapping[str, object], **attributes: object) -> _Namespace:
    for mapping in mappings:
        attributes = {**mapping, **attributes}
    for name in attributes:
        _check_attribute(name)
    return _Namespace(attributes)


def _check_attribute(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"a namespace cannot have an attribute that begins with an underscore, got {name!r}")


def environment() -> ImmutableSandboxedEnvironment:
    """Makes the environment in which transformers renders chat templates (`utils.chat_template_utils`)."""
    made = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, "jinja2.ext.loopcontrols"]
    )
    made.filters["tojson"] = _to_json
    made.globals |= {
        "raise_exception": _raise, "strftime_now": _time_now, "dict": _Dict(), "namespace": _namespace
    }  # fmt: skip
    return made


def _to_json(
    value: object,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _raise(message: str) -> None:
    raise TemplateError(message)


def _time_now(form: str) -> str:
    return datetime.now().strftime(form)


if __name__ == "__main__":
    main()
