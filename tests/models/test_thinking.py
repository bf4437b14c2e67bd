import pytest

from diffing.models.thinking import split_thinking


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


def test_long_text_without_an_end_is_quick():
    assert split_thinking("<think>" * 20_000)[0] == ""
    text = "a </think> b " * 20_000
    assert split_thinking(text) == (text, None)
