import pytest

from diffing.models.thinking import opened_thinking, split_thinking, unknown_thinking
from tests.fewer import fewer
from tests.work import assert_linear


@pytest.mark.parametrize(
    ("text", "answer", "thinking"),
    [
        ("plain", "plain", None),
        ("", "", None),
        ("  kept as it is\n", "  kept as it is\n", None),
        ("<think>a b</think>answer", "answer", "a b"),
        ("\n<think>\na\n</think>\n\nanswer\n", "answer\n", "a"),
        ("<think></think>\n\nanswer", "answer", ""),
        ("<think>never ends", "", "never ends"),
        ("\n <think>\nnever ends", "", "never ends"),
        ("opened in the prompt\n</think>\n\nanswer", "answer", "opened in the prompt"),
        ("all of it\n</think>", "", "all of it"),
        ("<think>a</think>one\n<think>b</think>\ntwo", "one\ntwo", "a\n\nb"),
        ("<think>a</think><think>b", "", "a\n\nb"),
        ("Use <think>x</think> in a prompt.", "Use <think>x</think> in a prompt.", None),
        ("The tag </think> ends it.", "The tag </think> ends it.", None),
        ("Write `<think>` first.", "Write `<think>` first.", None),
        ("<think>ends with \r\n</think>\r\n\r\nanswer", "answer", "ends with"),
    ],
)
def test_thinking_is_split_off(text, answer, thinking):
    assert split_thinking(text) == (answer, thinking)


@pytest.mark.parametrize(
    ("text", "answer", "thinking"),
    [
        ("[THINK]a[/THINK]b", "b", "a"),
        ("◁think▷a◁/think▷b", "b", "a"),
        ("<seed:think>a</seed:think>b", "b", "a"),
        ("<longcat_think>\na\n</longcat_think>\n\nb", "b", "a"),
        (
            "<|begin_of_thought|>\n\na\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\nb\n\n<|end_of_solution|>",
            "b",
            "a",
        ),
        ("<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>b<|END_RESPONSE|>", "b", "a"),
        ("<unused94>thought\na<unused95>b", "b", "a"),
        ("<thought>a</thought>b", "b", "a"),
        ("<|channel>thought\na<channel|>b", "b", "a"),
        ("<|channel>thought\n<channel|>b", "b", ""),
        ("<|channel>thought\nnever ends", "", "never ends"),
        ("opened in the prompt<channel|>\nb", "b", "opened in the prompt"),
        # around the thinking by other software
        ("Thinking...\na\n\nb\n...done thinking.\n\nc\n", "c\n", "a\n\nb"),
        ("Thinking...\na and no end", "Thinking...\na and no end", None),
        ("Thinking... about it.\n...done thinking.", "Thinking... about it.\n...done thinking.", None),
        (
            '<details type="reasoning" done="true" duration="3">\n<summary>Thought for 3 seconds</summary>\n> a\n'
            "</details>\nb",
            "b",
            "> a",
        ),
        ('<details type="reasoning" done="false">\n<summary>Thinking...</summary>\n> a', "", "> a"),
        ("<details>\n<b>Thought</b>\na</details>", "<details>\n<b>Thought</b>\na</details>", None),
        ("```thinking\na\n```\n\nb", "b", "a"),
        ("```reasoning\nnever ends", "", "never ends"),
        ("```python\na\n```", "```python\na\n```", None),
        ("It writes:\n```thinking\na\n```", "It writes:\n```thinking\na\n```", None),
        ("```thinking\na\n```\n<think>b</think>\nc", "c", "a\n\nb"),
        ("<thinking>\na\n</thinking>\n\nb", "b", "a"),
        ("<reasoning>a</reasoning>\nb", "b", "a"),
        ("<THINK>a</Think>b", "b", "a"),
        ("[THINK]never ends", "", "never ends"),
        ("◁think▷never ends", "", "never ends"),
        ("<thinking>never ends", "", "never ends"),
        ("opened in the prompt\n[/THINK]\nb", "b", "opened in the prompt"),
        ("opened in the prompt\n◁/think▷b", "opened in the prompt\n◁/think▷b", None),
        # within each other, and one after the other
        ("<think>a<think>b</think>c</think>d", "c</think>d", "a<think>b"),
        ("<think>a\n<think>b</think>c</think>d", "d", "a\n<think>b</think>c"),
        ("<think><think>a</think></think>d", "d", "<think>a</think>"),
        ("<think>I open a\n<think> and say so</think>d", "d", "I open a\n<think> and say so"),
        ("<think>a</think><think>b</think>c", "c", "a\n\nb"),
        ("<think>a</think>[THINK]b[/THINK]c", "c", "a\n\nb"),
        ("<thinking>a</thinking><thinking>b</thinking>c", "c", "a\n\nb"),
        # tags that are words, in an answer that uses them
        (
            "The result:\n<reasoning>x</reasoning>\n<answer>y</answer>",
            "The result:\n<reasoning>x</reasoning>\n<answer>y</answer>",
            None,
        ),
        ("Use [THINK] sparingly, as in [THINK]x[/THINK].", "Use [THINK] sparingly, as in [THINK]x[/THINK].", None),
        ("So <think><think>a</think>b</think>", "So <think><think>a</think>b</think>", None),
    ],
)
def test_every_notation_in_use(text, answer, thinking):
    assert split_thinking(text) == (answer, thinking)


QUOTED = "```\n<think>\na\n</think>\n```"


@pytest.mark.parametrize(
    "answer",
    [
        QUOTED,
        f"It writes:\n{QUOTED}\nand then answers.",
        f"It writes:\n{QUOTED.replace('```', '~~~')}\nand then answers.",
        "Use\n```xml\n<think>\n",
        "Use\n```\n</think>\n```\nat the end.",
        "1. Use\n   ````\n   ```\n   <think>a</think>\n   ````\n",
        "```\n~~~\n<think>\na\n</think>\n```",
        "```\n[THINK]\n```\n\n```\n[/THINK]\n```\n",
    ],
)
def test_tags_quoted_in_a_fence_of_code_stay(answer):
    assert split_thinking(answer) == (answer, None)
    assert split_thinking(f"<think>b</think>\n\n{answer}") == (answer, "b")
    assert split_thinking(f"<think>\n```\nb\n</think>\n\n{answer}") == (answer, "```\nb")


@pytest.mark.parametrize(
    ("text", "answer", "thinking"),
    [
        # a fence within the thinking hides nothing
        ("<think>\n```\na\n```\n</think>\nb", "b", "```\na\n```"),
        ("<think>\n```\na</think>\nb", "b", "```\na"),
        ("opened in the prompt\n```\na\n</think>\nb", "b", "opened in the prompt\n```\na"),
        (
            "opened in the prompt\n```\n</think>\n```\na\n</think>\nb",
            "b",
            "opened in the prompt\n```\n</think>\n```\na",
        ),
        ("opened\n```\na\n</think>\nb\n```py\nc\n```", "b\n```py\nc\n```", "opened\n```\na"),
        # what follows a fence is outside
        (f"a\n{QUOTED}\n<think>\nb\n</think>\nc", f"a\n{QUOTED}\nc", "b"),
        ("Write ```\n<think>\nb\n</think>\nc", "Write ```\nc", "b"),
        ("```a```\n<think>\nb\n</think>\nc", "```a```\nc", "b"),
    ],
)
def test_fences_of_code_and_thinking(text, answer, thinking):
    assert split_thinking(text) == (answer, thinking)


CHANNELS = "<|channel|>analysis<|message|>a b<|end|><|start|>assistant<|channel|>final<|message|>answer"


@pytest.mark.parametrize(
    ("text", "answer", "thinking"),
    [
        (CHANNELS, "answer", "a b"),
        (CHANNELS + "<|return|>", "answer", "a b"),
        ("<|start|>assistant" + CHANNELS, "answer", "a b"),
        (CHANNELS.removeprefix("<|channel|>"), "answer", "a b"),
        ("<|channel|>final<|message|>answer", "answer", None),
        ("<|channel|>analysis<|message|>never ends", "", "never ends"),
        (
            "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary to=functions.f "
            "<|constrain|>json<|message|>{}<|call|>",
            "",
            "a\n\n{}",
        ),
        ("analysisWe think.assistantfinalanswer", "answer", "We think."),
        ("assistantanalysisWe think.assistantfinalanswer", "answer", "We think."),
        ("\nanalysisWe think.assistantfinalanswer", "answer", "We think."),
        ("assistantanalysis of the text", "assistantanalysis of the text", None),
        ("analysis of the text", "analysis of the text", None),
        ("It writes <|channel|>analysis<|message|> first.", "It writes <|channel|>analysis<|message|> first.", None),
    ],
)
def test_channels(text, answer, thinking):
    assert split_thinking(text) == (answer, thinking)


@pytest.mark.parametrize(
    ("answer", "mark"),
    [
        ("<scratchpad>a</scratchpad>b", "<scratchpad>"),
        (" <inner_thoughts>\na", "<inner_thoughts>"),
        ('<think time="5">a', '<think time="5">'),
        ("<|think|>a", "<|think|>"),
        ("[REASONING]a[/REASONING]", "[REASONING]"),
        ("◁reflect▷a", "◁reflect▷"),
        ("<|channel>plan\na", "<|channel>"),
        ("analysisWe need", "analysis"),
        ("assistantanalysisWe need", "assistantanalysis"),
        ("An answer with <scratchpad> in it.", None),
        ("rest of a block within another</think>answer", "</think>"),
        ("The tags <think> and </think> are marks.", None),
        ("<p>a</p>", None),
        ("[1] a", None),
        ("", None),
    ],
)
def test_what_looks_like_thinking_is_told(answer, mark):
    assert unknown_thinking(answer) == mark


def test_what_a_prompt_had_opened():
    assert opened_thinking("<|assistant|>\n<think>\n") == "<think>"
    assert opened_thinking("[THINK]") == "[THINK]"
    assert opened_thinking("<think>\n\n</think>\n\n") == ""
    assert opened_thinking("a prompt") == ""


LONG = [
    lambda n: "a</think>b\n" + "<think>\n" * (n // 8),
    lambda n: "<think>" * (n // 7),
    lambda n: "a </think> b " * (n // 13),
    lambda n: "<think>\n" * (n // 16) + "</think>\n" * (n // 16),
    lambda n: " " * n + "<think>",
    lambda n: (" " * 50 + "<think>") * (n // 57),
    lambda n: "<think>a</think>\n" * (n // 17),
    lambda n: "<|channel|>analysis<|message|>" + "<|end|>" * (n // 7),
    lambda n: "analysis" + "assistant" * (n // 9),
    lambda n: "[THINK]\n<thought>" * (n // 17),
    lambda n: "<" * n,
    lambda n: "\n" * n + "x",
    lambda n: "```\n<think>\n" * (n // 12),
    lambda n: "```\n</think>\n" * (n // 13),
    lambda n: "`" * n,
    lambda n: "```thinking\na\n```\n" * (n // 18),
    lambda n: "Thinking...\n" * (n // 12),
]


@pytest.mark.parametrize("text", fewer(LONG, LONG[1::3]))
def test_long_texts_take_work_in_proportion(text):
    assert_linear(lambda n: (split_thinking(text(n)), unknown_thinking(text(n))), 8_000)
    unclosed = "<think>" * 20_000
    assert split_thinking(unclosed)[0] == ""
    text = "a </think> b " * 20_000
    assert split_thinking(text) == (text, None)
