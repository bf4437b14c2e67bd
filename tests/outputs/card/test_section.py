"""What a card says is true, confirmed, readable, and harmless whatever the models said."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from diffing import metrics
from diffing.errors import SettingError
from diffing.metrics import metrics_of
from diffing.outputs.card.edit import edit
from diffing.outputs.card.markers import body_of, digest, hash_in
from diffing.outputs.card.pull_requests import description_of
from diffing.outputs.card.section import findings_in_card, section
from diffing.outputs.claims import headline_leads
from diffing.outputs.markdown_escape import prose
from diffing.outputs.phrasing import one_line
from diffing.report.index import index_of
from diffing.types import Evidence, FeatureAbove, FeatureMeasure, Finding, LatentMeasure, Merged, ModelInfo, Report
from tests.outputs.samples import HOSTILE, MODEL_A, MODEL_B, hostile_report, lines_report, medium_report, quiet_report

BASE, CHAT = MODEL_A.split("@")[0], MODEL_B.split("@")[0]


def lines_of(report: Report, of: str = CHAT, dataset: str | None = None) -> list[str]:
    return section(report, of=of, dataset=dataset).split("\n")


def findings_in(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.startswith("- **") and "95% interval" in line]


def renamed(report: Report, a: str, b: str) -> Report:
    return replace(report, model_a=ModelInfo(a, "model_a"), model_b=ModelInfo(b, "model_b"))


def test_a_card_says_what_was_confirmed_about_its_model() -> None:
    lines = lines_of(medium_report(), dataset="alice/tern-diff")
    assert lines[0].startswith(
        "<!-- model-diff:begin with=acme-lab/tern-1b-base@4f1c0d9 dataset=alice/tern-diff sha256="
    )
    assert lines[1] == "## Behavioral differences"
    assert lines[3] == (
        "Compared with [acme-lab/tern-1b-base](https://huggingface.co/acme-lab/tern-1b-base) at `4f1c0d9`, on the same "
        "180 prompts that were kept aside for checking, this model (`9be27c5`, with a system prompt) differs as "
        "follows."
    )
    assert lines[5] == (
        "- **This model writes longer responses (in words) than tern-1b-base: in 72% of 180 pairs, the other way in "
        "14%** (very sure; net difference +58 points, 95% interval +46 to +67)."
    )
    text = "\n".join(lines)
    assert "- **tern-1b-base continues the user's text instead of answering it: in 16% of 180 pairs" in text
    at = "https://huggingface.co/datasets/alice/tern-diff"
    assert lines[10:13] == [
        f"![Rates of both models for 4 differences]({at}/resolve/main/chart.svg)",
        "",
        f"[![diffing: 7 differences]({at}/resolve/main/badge.svg)]({at}) "
        f"[All 7 confirmed differences, with examples and all responses]({at})",
    ]
    assert text.count("![") == 2, "one picture, and the badge"
    assert "“Very sure”: chance alone would show this in fewer than 1 in 1,000 comparisons." in text
    assert "false discovery rate of 5% over all 12 tested sentences" in text
    assert "2 of the 4 were judged by the language model `judge-70b`" in text
    assert "127.0.0.1" not in text
    assert "arxiv" not in text.lower()


def test_a_card_of_levels_and_places_is_short_and_gives_both_models_counts() -> None:
    lines = lines_of(lines_report(), dataset="alice/tern-diff")
    assert (
        "- **When asked about something safety-sensitive, this model refuses to answer in 12 of 16 answers; "
        "tern-1b-base never does** (very sure; 95% intervals 51 to 90% and 0 to 19%)."
    ) in lines
    assert lines[3].endswith(" differs as follows. Where no kind of prompt is named, none was found to stand out.")
    before = lines.index("<details><summary>How this was measured, and its limits</summary>")
    assert before == 14, "the marker, the twelve lines that everybody sees, and an empty line"
    assert "[All 7 confirmed differences, with examples and all responses](https://" in lines[before - 2]
    leads = [each.hypothesis.id for each in headline_leads(lines_report())]
    shown = [each.hypothesis.id for each in findings_in_card(lines_report())]
    assert set(leads) < set(shown)
    assert shown == [
        each.lead.hypothesis.id
        for each in index_of(lines_report()).differences
        if each.lead.hypothesis.id in shown
    ]  # fmt: skip


def test_the_other_models_card_says_the_same_from_its_side() -> None:
    text = section(medium_report(), of=BASE, dataset=None)
    assert "- **tern-1b-chat writes longer responses (in words) than this model: in 72%" in text
    assert "- **This model continues the user's text instead of answering it: in 16%" in text
    assert "huggingface.co/datasets" not in text


def test_the_hash_is_that_of_the_content_and_nothing_is_dated() -> None:
    text = section(medium_report(), of=CHAT, dataset="alice/tern-diff")
    begin, _, rest = text.partition("\n")
    assert hash_in(begin) == digest(rest.rpartition("\n")[0] + "\n")
    assert text == section(medium_report(), of=CHAT, dataset="alice/tern-diff")


def test_at_most_four_and_never_what_was_not_confirmed() -> None:
    report = medium_report()
    confirmed = [finding for finding in report.findings if finding.confirmed]
    again = [replace(each, hypothesis=replace(each.hypothesis, id=f"{each.hypothesis.id}-2")) for each in confirmed]
    more = replace(report, findings=(*confirmed, *again, *report.findings[len(confirmed) :]))
    assert len(findings_in_card(more)) == 4
    told = section(more, of=CHAT, dataset=None).replace("\N{NO-BREAK SPACE}", " ")
    assert f"{2 * len(confirmed)} differences are confirmed; 4 of them are listed." in told
    assert len(findings_in(section(report, of=CHAT, dataset=None))) == 4 < len(confirmed) == 7


def test_what_says_the_same_is_said_once() -> None:
    report = medium_report()
    ids = [finding.hypothesis.id for finding in report.findings]
    both = Merged(ids[0], (ids[0], ids[1]), ("lead", "property"), (metrics.wilson(10, 10),) * 2, (None, None))
    alone = (
        Merged(one, (one,), ("lead",), (metrics.wilson(10, 10),), (None,)) for one in ids if one not in both.members
    )
    shown = findings_in_card(replace(report, merged=(both, *alone)))
    assert ids[1] not in {finding.hypothesis.id for finding in shown}
    assert len(shown) == 4


def test_no_confirmed_difference_is_said_honestly() -> None:
    text = section(quiet_report(), of=CHAT, dataset=None)
    assert "no difference between their responses was confirmed on 83 prompts. This does not prove" in text
    assert findings_in(text) == []
    assert "![" not in text, "a picture needs a dataset to lie in"
    lines, at = lines_of(quiet_report(), dataset="alice/d"), "https://huggingface.co/datasets/alice/d"
    badge = f"[![diffing: no difference found]({at}/resolve/main/badge.svg)]({at})"
    assert lines[5] == f"{badge} [Everything that was tested, with examples and all responses]({at})"


def as_features(report: Report, plain: int) -> Report:
    """All but the first findings are said to be features of an SAE."""

    def feature(finding: Finding) -> Finding:
        quote = Evidence("p", finding.hypothesis.direction, "Great *question*!\nHere")
        hypothesis = replace(finding.hypothesis, method="sae", measure=LatentMeasure((1,)), evidence=(quote,))
        return replace(finding, hypothesis=hypothesis)

    findings = report.findings
    return replace(report, findings=(*findings[:plain], *(feature(each) for each in findings[plain:])))


@pytest.mark.parametrize(("plain", "examples"), [(7, 0), (4, 1), (3, 1), (1, 3), (0, 4)])
def test_features_fill_up_with_an_example(plain: int, examples: int) -> None:
    text = section(as_features(medium_report(), plain), of=CHAT, dataset=None)
    assert len(findings_in(text)) == 4
    assert text.count("For example: “Great \\*question\\*\\! Here”.") == examples
    assert "one model alone has a feature" not in text


def test_the_limits_say_what_a_feature_of_one_model_alone_means() -> None:
    report = medium_report()
    measure = FeatureMeasure("crosscoder", (FeatureAbove("17", 0.5),), "0a", in_words=True)
    findings = [replace(each, hypothesis=replace(each.hypothesis, measure=measure)) for each in report.findings]
    text = section(replace(report, findings=tuple(findings)), of=CHAT, dataset=None)
    assert "the other model may still be able to do what the feature stands for" in text


@pytest.mark.parametrize(
    ("a", "b", "of", "this", "other"),
    [
        (MODEL_A, MODEL_B, CHAT.upper(), "this model (`9be27c5`) differs", f"/{BASE}) at `4f1c0d9`, on"),
        (f"{CHAT}@{'1' * 40}", f"{CHAT}@{'2' * 40}", CHAT, "this model (`2222222`)", "at `1111111`"),
        (MODEL_A, f"{MODEL_A}+org/lora@{'3' * 40}", "org/lora", "this model (`3333333`)", "at `4f1c0d9`, on"),
        (MODEL_B, f"providers:{BASE}:novita", BASE, "this model differs", f"/{CHAT}) at `9be27c5`"),
        (f"providers:{BASE}:novita", MODEL_B, CHAT, "(`9be27c5`)", f"/{BASE}) (as served by `novita`), on"),
        (MODEL_A, "openai:secret-name@10.0.0.7:8000/v1", BASE, "(`4f1c0d9`)", "with `secret-name` (behind a server"),
        (MODEL_A, "recorded:old.jsonl@0123456789ab", BASE, "(`4f1c0d9`)", "with `old.jsonl`, on"),
        (BASE, CHAT, CHAT, "this model differs", f"[{BASE}](https://huggingface.co/{BASE}), on"),
        (f"gpt2@{'4' * 40}", MODEL_B, "gpt2", "this model (`4444444`)", "at `9be27c5`"),
    ],
)  # fmt: skip
def test_each_kind_of_model_is_named(a: str, b: str, of: str, this: str, other: str) -> None:
    text = section(renamed(medium_report(), a, b), of=of, dataset=None)
    assert this in text.split("\n")[3]
    assert other in text.split("\n")[3]
    assert "10.0.0.7" not in text + description_of(renamed(medium_report(), a, b), "alice", None)


@pytest.mark.parametrize(
    ("a", "b", "of", "reason"),
    [
        (MODEL_A, MODEL_B, "other/model", "neither is the Hub's other/model"),
        (MODEL_A, MODEL_B, "tern-1b-chat", "neither is the Hub's tern-1b-chat"),
        (MODEL_B, f"{MODEL_A}+org/lora@{'3' * 40}", BASE, "neither is the Hub's"),
        ("tuned@0123456789ab", MODEL_A, "tuned", "neither is the Hub's tuned"),
        (f"recorded:{CHAT}@0123456789ab", MODEL_A, CHAT, "neither is the Hub's"),
        ("openai:org/name@localhost", MODEL_A, "org/name", "neither is the Hub's"),
        (MODEL_B, MODEL_B, CHAT, "Both models of the report are"),
    ],
)
def test_a_card_of_another_model_is_refused(a: str, b: str, of: str, reason: str) -> None:
    with pytest.raises(SettingError, match=reason):
        section(renamed(medium_report(), a, b), of=of, dataset=None)


def test_a_dataset_that_is_no_name_is_refused() -> None:
    with pytest.raises(SettingError, match="is not a dataset's name: expected user/name"):
        section(medium_report(), of=CHAT, dataset="x) [y](https://evil.example")


def test_how_it_was_run_is_told_and_odd_settings_do_no_harm() -> None:
    report = replace(medium_report(), settings={"temperature": 0.7, "max_new_tokens": 512})
    assert "**Responses:** temperature 0.7, at most 512 tokens." in section(report, of=CHAT, dataset=None)
    odd = replace(medium_report(), settings={"temperature": "<b>", "max_new_tokens": "<b>", "prompts": "<b>"})
    assert "<b>" not in section(odd, of=CHAT, dataset=None)
    quantized = replace(report, model_b=ModelInfo(MODEL_B, "model_b", {"quantization": "4bit", "chat_template": "x"}))
    told = section(quantized, of=CHAT, dataset=None)
    assert "`, with another chat template than its own and weights in `4bit`)" in told


@pytest.mark.parametrize("loaded", ["#bfloat16", "#4bit#bfloat16", "#template=0123456789ab"])
def test_how_the_weights_were_loaded_hides_no_model(loaded: str) -> None:
    """The type of numbers is part of an identity, and no part of a repository's name."""
    plain = renamed(medium_report(), f"{CHAT}-base@{'a' * 40}", f"{CHAT}@{'b' * 40}")
    report = renamed(medium_report(), f"{CHAT}-base@{'a' * 40}{loaded}", f"{CHAT}@{'b' * 40}{loaded}")
    assert section(report, of=CHAT, dataset=None) == section(plain, of=CHAT, dataset=None)


ALLOWED = {"h2", "p", "ul", "li", "strong", "code", "a", "img"}


def rendered_tags(text: str) -> set[str]:
    """Elements that a permissive renderer (tables, bare links, raw HTML) makes of it."""
    parser = MarkdownIt("gfm-like", {"linkify": False})
    tokens = [child for token in parser.parse(text) for child in (token, *(token.children or []))]
    assert not [t for t in tokens if t.type == "html_inline"]
    return {token.tag for token in tokens if token.tag}


def test_hostile_texts_stay_text() -> None:
    report = hostile_report()
    confirmed = tuple(replace(finding, confirmed=True) for finding in report.findings)
    for start in range(0, len(confirmed), 4):
        told = confirmed[start : start + 4]
        some = replace(report, findings=told, model_a=ModelInfo(MODEL_A, "model_a"), merged=())
        text = section(some, of=BASE, dataset="alice/diff")
        assert [marker.kind for marker in body_of(text).markers] == ["begin", "end"]
        assert len(findings_in(text)) == len([finding for finding in told if finding.heldout.n])
        assert rendered_tags(text) <= ALLOWED | {""}
        assert text.count("](https://huggingface.co/datasets/alice/diff") == 4
        once = edit(b"# Card\n", text)
        assert edit(once, text) == once


ATTACKS = (
    *HOSTILE,
    "--> <!-- model-diff:end --> <!-- model-diff: off -->",
    "https://evil.example www.evil.example evil.example/x mail@evil.example @everyone #1 !2 GH-3",
    "![x](https://evil.example/x.png) [y][1] [^1] <https://evil.example>",
    "`code` ``` ~~~ ~~gone~~ **bold** __bold__ *it* _it_ | a | b |",
    ":smile: $x^2$ $$y$$ \\(z\\) \\[w\\] \\\\(v\\\\)",
    "# heading", "- item", "> quote", "1. one", "---", "***", "    code", "&lt;b&gt; &#60;b&#62;",
)  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_is_escaped_shows_as_it_was(attack: str) -> None:
    check_prose(attack)


SIGNS = st.text(st.sampled_from("ab1w \\`*_{}[]()#+-.!|~>$^=<&@:/;\"'é🦜"), max_size=30)
LINKED = re.compile(r"https?:|www\.\w|@\w|(?<!\w)[#!]\d|\w\.\w\w")
"""What some renderers turn into links wherever it stands in text."""


@given(SIGNS)
def test_any_signs_show_as_they_were(text: str) -> None:
    check_prose(text)


def check_prose(text: str) -> None:
    shown = prose(text, 200)
    assert "\n" not in shown
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(f"x **{shown}.** y")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    allowed = {"text", "text_special", "code_inline", "strong_open", "strong_close"}
    assert {child.type for child in children} <= allowed
    assert not any(LINKED.search(child.content) for child in children if child.type == "text")
    line = one_line(text, 200)
    assert "".join(child.content for child in children if "strong" not in child.type).strip() == f"x {line}. y".strip()


def without_hope(report: Report, left: int) -> Report:
    """The last findings got no held-out prompts."""
    tested = len(report.findings) - left
    findings = (replace(f, heldout=metrics_of(0, 0, 0), confirmed=False) for f in report.findings[tested:])
    return replace(report, findings=(*report.findings[:tested], *findings))


def test_what_train_left_without_hope_is_no_part_of_the_family() -> None:
    text = section(without_hope(medium_report(), 3), of=CHAT, dataset=None)
    assert (
        "over all 9 tested sentences; 3 more were not tested, because the other prompts showed that a test was futile."
        in text
    )
    assert "their sizes tend to be somewhat too large" in text
    nothing = section(without_hope(quiet_report(), 4), of=CHAT, dataset=None)
    assert "no difference between their responses was confirmed, because a test was futile for all of them." in nothing
    assert "sizes" not in nothing
