"""Cards of models and datasets: anybody's Markdown and YAML."""

from random import Random

from hypothesis import strategies as st

from diffing.hub import metadata_of
from diffing.hub.data_files import _configs
from diffing.outputs.card.edit import edit
from diffing.outputs.dataset.identity import identity_in
from diffing.outputs.markdown_escape import code_cell, prose
from tests.fuzz.text import NASTY, mutated, mutated_bytes, one_line_or_fine
from tests.outputs.card.corpus import BEGIN, BODY, END, FENCED, NESTED, NEW, ODD_YAML, OLD, SEVERAL_RESULTS, YAML
from tests.outputs.card.reading import has_section, opted_out

OURS = """---
tags: [model-diff, "model-diff:org/a"]
model_diff: {model_a: org/a@1, model_b: org/b@2, settings: abc, prompts: 3, findings: 1, confirmed: 0}
configs:
- config_name: findings
  data_files: findings.parquet
---
# Report
"""
PIECES = (
    *NASTY,
    *(
        BEGIN,
        END,
        "<!-- model-diff: off -->",
        "<!--",
        "-->",
        "```\n",
        "~~~\n",
        "<details>\n",
        "</details>",
        "<table>\n",
    ),
    *("---\n", "model-diff: off\n", '"model-diff": off\n', "? !!python/object x\n", "a: &x [*x]\n", "a: 2001-99-99\n"),
    *(
        "- " * 200,
        "> " * 200,
        "{a: " * 200,
        "[" * 200,
        "&a !!set {? *a}\n",
        "<<: *b\n",
        "a: !!float x\n",
        "a: !!int ''\n",
        "a: !!bool x\n",
        "a: !!timestamp x\n",
        "0o8: 1_0:61\n",
    ),
    *(
        "\r",
        "\r\n",
        "\n\n",
        "    ",
        "\t",
        "[x](",
        "![",
        "`" * 300,
        "*_" * 100,
        "http://a.b",
        "@org/name",
        "| a | b |\n|---|---|\n",
    ),
)
CARDS = (
    *(
        YAML + BODY,
        ODD_YAML + BODY,
        SEVERAL_RESULTS + BODY,
        BODY + OLD,
        YAML + BODY + OLD + "\n\nMore.\n",
        FENCED,
        NESTED,
    ),
    *(OURS, "", "# Title", YAML),
)


def made_card(draw: Random) -> bytes:
    """A card, somewhat damaged."""
    kind = draw.random()
    if kind < 0.25:
        return mutated_bytes(draw, draw.choice(CARDS).encode())
    if kind < 0.5:
        told = "".join(draw.choices(PIECES, k=draw.randint(1, 3)))
        return f"---\ntags: [model-diff]\n{told}\n---\n{draw.choice(CARDS)}".encode(errors="surrogatepass")
    return mutated(draw, draw.choice(CARDS), PIECES).encode(errors="surrogatepass")


def cards() -> st.SearchStrategy[bytes]:
    """Cards of the corpus, of pieces, and any bytes."""
    pieces = st.lists(st.sampled_from((*PIECES, *CARDS)), max_size=8).map(
        lambda found: "".join(found).encode(errors="surrogatepass")
    )
    return st.one_of(pieces, st.binary(max_size=300), st.randoms(use_true_random=False).map(made_card))


def check_card(content: bytes) -> None:
    """The section goes in once, or one line says why not; what a card tells of itself is read, or counts as nothing."""
    with one_line_or_fine():
        opted_out(content)
    with one_line_or_fine():
        has_section(content)
    with one_line_or_fine():
        once = edit(content, NEW)
        assert edit(once, NEW) == once
    identity_in(metadata_of(content))
    with one_line_or_fine():
        _configs(content, "README.md", "user/data")
    text = content.decode(errors="replace")
    for shown in (prose(text), code_cell(text)):
        assert "\n" not in shown
