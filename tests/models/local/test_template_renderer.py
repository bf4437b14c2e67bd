"""Chat templates in a process of their own: they write what they write in transformers, and none can do harm."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from transformers.utils.chat_template_utils import _compile_jinja_template, render_jinja_template

from diffing.models.local import template_renderer
from diffing.models.local.template_process import environment
from diffing.models.local.template_renderer import TemplateFailedError, TemplateRenderer, bounded_apply_chat_template
from tests.models.local.test_chat import EITHER, IN_PARTS, NO_SYSTEM, THINKS
from tests.models.local.tiny import CHATML, tokenizer

TURNS: tuple[dict[str, Any], ...] = (
    {"role": "user", "content": "  Hi <b>\ud800\u2028é</b>\n"},
    {"role": "assistant", "content": "Yes?"},
    {"role": "user", "content": "1 + 1"},
)
VARIABLES: dict[str, Any] = {
    "tools": None, "documents": None, "add_generation_prompt": True, "bos_token": "<s>", "enable_thinking": False,
}  # fmt: skip
SAME = {
    "chatml": CHATML,
    "refuses a system role": NO_SYSTEM,
    "thinks": THINKS,
    "either form": EITHER,
    "parts": IN_PARTS,
    "json": "{{ messages|tojson }}{{ messages[0]|tojson(indent=2) }}{{ messages[0]|tojson(true) }}"
    "{{ {'b': 1, 'a': 'é'}|tojson(separators=(',', ':'), sort_keys=true) }}",
    "white space": "  {% if true %}  \n  x  \n  {%- endif %}\n\n"
    "{% for m in messages %}\n  {{- m.role }}  \n{% endfor %}\n",
    "loop controls": "{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}{{ m.content }}{% break %}"
    "{% endfor %}",
    "generation": "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}",
    "namespace": "{% set n = namespace(self=1, x='a') %}{% set n.x = n.x ~ 'b' %}{{ n.x }}{{ n.self }}"
    "{{ namespace({'y': 2}).y }}",
    "dict": "{{ dict(a=1)|tojson }}{{ dict([('b', 2)])|tojson }}{{ dict.fromkeys(['c'])|tojson }}",
    "macros": "{% macro say(m, by='x') %}{{ by }}: {{ m.content|trim|upper }}{{ caller is defined }}{% endmacro %}"
    "{{ say(messages[0]) }}{% call say(messages[1], by='y') %}{% endcall %}",
    "filters": "{{ messages|map(attribute='role')|unique|join(',') }}"
    "{{ messages|selectattr('role', 'eq', 'user')|list }}"
    "{{ 'a<b'|e }}{{ messages|length }}{{ 'Ab'.lower().split('b') }}{{ '%s=%d' % ('a', 1) }}{{ '{:>4}'.format('x') }}",
    "what there is": "{{ bos_token }}{{ tools is none }}{{ documents }}{{ nothing }}{{ add_generation_prompt }}",
    "year": "{{ strftime_now('%Y') }}",
}
REFUSED = {
    "its own": "{{ raise_exception('Only\n one turn') }}",
    "undefined": "{{ nothing.at.all }}",
    "syntax": "{% for m in messages %}",
    "attributes": "{{ ''.__class__.__mro__ }}",
    "a change": "{{ messages.append(1) }}",
    "an attribute with an underscore": "{% set n = namespace(_a=1) %}",
    "another one": "{% set n = namespace() %}{% set n['_a'] = 1 %}{{ n._a }}",
    "types": "{{ 1 + 'a' }}",
}


@pytest.fixture
def renderer() -> Iterator[TemplateRenderer]:
    made = TemplateRenderer()
    yield made
    made.close()


def ours(template: str) -> str:
    return template_renderer._renderer.render(template, {"messages": TURNS, **VARIABLES})


def theirs(template: str) -> str:
    return str(render_jinja_template(conversations=[list(TURNS)], chat_template=template, **VARIABLES)[0][0])


@pytest.mark.parametrize("template", SAME.values(), ids=list(SAME))
def test_the_text_is_that_of_transformers(template: str) -> None:
    assert ours(template) == theirs(template)


@pytest.mark.parametrize("template", REFUSED.values(), ids=list(REFUSED))
def test_what_transformers_refuses_is_refused(template: str) -> None:
    with pytest.raises(Exception, match=r".") as by_them:
        theirs(template)
    with pytest.raises(TemplateFailedError) as refused:
        ours(template)
    if "namespace" not in template:  # in other words
        assert str(refused.value) == str(by_them.value)


def test_templates_find_the_names_that_transformers_gives_them() -> None:
    own, other = environment(), _compile_jinja_template("x").environment
    for names in ("filters", "globals", "tests"):
        assert sorted(getattr(own, names)) == sorted(getattr(other, names)), names
    for flag in ("trim_blocks", "lstrip_blocks", "keep_trailing_newline", "autoescape", "undefined", "finalize"):
        assert getattr(own, flag) == getattr(other, flag), flag
    tags = [{tag for each in found.extensions.values() for tag in each.tags} for found in (own, other)]
    assert tags[0] == tags[1] == {"generation", "break", "continue"}


TOO_LONG = {
    "a power": "{{ 9**(9**9) }}",
    "a power of what is not constant": "{{ (messages|length + 6)**(9**9) }}",
    "squares": "{% set n = namespace(x=9) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "a precision": "{{ 5|round(10**9, 'floor') }}",
    "loops in loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "a search": "{{ ('a' * 10**6)|replace('a', 'b' * 99)|replace('b' * 9, '')|list|sort|unique|list|length }}" * 9,
}
TOO_LARGE = {
    "a text": "{{ 'x' * 10**10 }}",
    "a list": "{{ ([0] * 10**10)|length }}",
    "a width": "{{ '%9999999999d' % 1 }}",
    "a width that is given": "{{ '%*d' % (2 * 10**9, 1) }}",
    "a width of another form": "{{ '{:>9999999999}'.format('x') }}",
    "a method": "{{ 'x'.ljust(10**10) }}",
    "a filter": "{{ 'x'|indent(10**10) }}",
    "a join": "{{ (['x' * 10**5] * 10**4)|join|length }}",
    "a replacement": "{{ ('x' * 10**5).replace('', 'y' * 10**5)|length }}",
    "text that doubles": "{% set n = namespace(x='x') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "what loops write": "{% for a in range(999) %}{% for b in range(999) %}{{ b ~ 'x' * 999 }}{% endfor %}{% endfor %}",
}
AT_ONCE = {
    "a range": ("{{ range(10**9)|list }}", "Range too big"),
    "recursion": ("{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}", "maximum recursion depth exceeded"),
    "brackets": ("{{ " + "(" * 10**4 + "1" + ")" * 10**4 + " }}", "maximum recursion depth exceeded"),
    "digits": ("{{ 10**5000 }}", "Exceeds the limit (4300 digits)"),
    "length": ("{{ 'x' * 2 * 10**6 }}", "it writes 2,000,000 characters for a conversation of 25"),
}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not limit processor time")
@pytest.mark.parametrize("template", TOO_LONG.values(), ids=list(TOO_LONG))
def test_what_takes_too_long_is_stopped(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_renderer, "SECONDS", 0.1)
    with pytest.raises(TemplateFailedError, match="it takes longer than 0 s"):
        ours(template)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of one call")
@pytest.mark.parametrize("template", TOO_LARGE.values(), ids=list(TOO_LARGE))
def test_what_takes_too_much_memory_is_refused(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_renderer, "MEMORY", 2**25)
    with pytest.raises(TemplateFailedError, match="it takes more than 32 MiB of memory"):
        ours(template)


@pytest.mark.parametrize(("template", "problem"), AT_ONCE.values(), ids=list(AT_ONCE))
def test_what_else_cannot_be_done_is_refused(template: str, problem: str) -> None:
    with pytest.raises(TemplateFailedError, match=re.escape(problem)):
        ours(template)


def pid_of(renderer: TemplateRenderer) -> int:
    assert renderer._process is not None
    return renderer._process.pid


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_process_knows_no_secret_and_ends_with_the_renderer(
    renderer: TemplateRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    renderer.render("x", {"messages": []})
    pid = pid_of(renderer)
    assert b"hf_secret" not in Path(f"/proc/{pid}/environ").read_bytes()
    renderer.close()
    assert not Path(f"/proc/{pid}").exists()


def test_one_process_for_all_until_it_ends(renderer: TemplateRenderer) -> None:
    assert [renderer.render(text, {"messages": []}) for text in "ab"] == ["a", "b"]
    before = pid_of(renderer)
    with pytest.raises(TemplateFailedError):
        renderer.render("{{ nothing.at.all }}", {"messages": []})
    assert renderer.render("c", {"messages": []}) == "c"
    assert pid_of(renderer) == before
    os.kill(before, 9)
    os.waitid(os.P_PID, before, os.WEXITED | os.WNOWAIT)
    assert renderer.render("d", {"messages": []}) == "d"


def test_after_an_interruption_no_reply_is_taken_for_another(
    renderer: TemplateRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    renderer.render("a", {"messages": []})
    exchange = template_renderer._exchange

    def interrupted(process: Any, order: bytes) -> None:
        process.stdin.write(order)
        process.stdin.flush()
        raise KeyboardInterrupt

    monkeypatch.setattr(template_renderer, "_exchange", interrupted)
    with pytest.raises(KeyboardInterrupt):
        renderer.render("b", {"messages": []})
    monkeypatch.setattr(template_renderer, "_exchange", exchange)
    assert renderer.render("c", {"messages": []}) == "c"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_has_a_process_of_its_own(renderer: TemplateRenderer) -> None:
    renderer.render("a", {"messages": []})
    child = os.fork()
    if child == 0:
        try:
            mine = renderer.render("{{ messages }}", {"messages": []}) == "[]"
            renderer.close()
        finally:
            os._exit(0 if mine else 1)
    assert renderer.render("b", {"messages": []}) == "b"
    assert os.waitpid(child, 0)[1] == 0
    assert renderer.render("c", {"messages": []}) == "c"


def test_marks_on_the_text_of_users_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Special tokens that a user writes are text, and those of the template are tokens, as transformers does it."""
    tokens, said = tokenizer(CHATML), [{"role": "user", "content": "a <|im_end|> b"}]
    given = {"tokenize": True, "return_dict": False, "sanitize_control_tokens": True}
    assert bounded_apply_chat_template()(tokens, said, **given) == tokens.apply_chat_template(said, **given)


def test_a_release_that_renders_otherwise_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    bounded_apply_chat_template.cache_clear()
    monkeypatch.setattr(template_renderer, "_REPLACED", "another_function")
    with pytest.raises(RuntimeError, match=r"transformers \S+ renders chat templates by functions that are not known"):
        bounded_apply_chat_template()
