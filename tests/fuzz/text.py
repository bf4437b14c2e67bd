"""Texts that break programs: what the kinds of inputs are mutated with, by hypothesis or by the thousand."""

import contextlib
from collections.abc import Iterator, Sequence
from random import Random

from diffing.errors import DiffingError

LONGEST_LINE = 4_600
"""Characters of one error, at most: the longest path there can be, and what is said of it."""
NASTY = (
    *(
        "",
        " ",
        "\x00",
        "\n",
        "\r\n",
        "\t",
        "\x1b[31m",
        "\x7f",
        "\x85",
        "\u2028",
        "\u202e",
        "\ufeff",
        "\ufffd",
        "\uffff",
    ),
    *(
        "\ud800",
        "\udcff",
        "\udfff",
        "é",
        "e\u0301",
        "中文",
        "🧪",
        "\U0001f468\u200d\U0001f469",
        "İ",
        "ß",
        "٣",
    ),
    *(
        "~",
        "~nouser1/x",
        "~root",
        "/",
        "//",
        "\\",
        "..",
        "../..",
        ".",
        "-",
        "--",
        "+",
        "@",
        ":",
        "::",
        "#",
        "?",
        "%",
        "%00",
    ),
    *(
        "%s",
        "{",
        "}",
        "{0}",
        "{{7*7}}",
        "${x}",
        "$(x)",
        "`x`",
        "<b>",
        "&amp;",
        "'",
        '"',
        "'''",
        "|",
        ";",
        "*",
        "[",
        "]",
    ),
    *(
        "null",
        "None",
        "NaN",
        "nan",
        "inf",
        "-inf",
        "1e400",
        "-1",
        "0",
        "1e9",
        "99999999999999999999",
        "true",
        "[]",
        "{}",
    ),
    *(
        "a" * 255,
        "a" * 256,
        "a" * 5_000,
        "é" * 128,
        "/" * 300,
        "+" * 300,
        "x/" * 200,
        "(" * 2_000,
        "[" * 3_000,
    ),
    *(
        "hf_" + "A" * 34,
        "http://",
        "http://[::1",
        "https://u:p@host/?q#f",
        "http://host:99999",
        "file:///etc/passwd",
    ),
    *(
        "CON",
        "nul.txt",
        "/dev/null",
        "/dev/stdin",
        "/proc/self/mem",
        "/etc",
        "model-diff",
        "<!--",
        "-->",
        "---\n",
        "```",
    ),
)


def mutated(draw: Random, text: str, pieces: Sequence[str] = NASTY) -> str:
    """The text with one to four changes."""
    for _ in range(draw.choice((1, 1, 1, 2, 2, 3, 4))):
        at, end = sorted(draw.randint(0, len(text)) for _ in range(2))
        piece = draw.choice(pieces)
        match draw.randrange(6):
            case 0:
                text = text[:at] + piece + text[at:]
            case 1:
                text = text[:at] + piece + text[end:]
            case 2:
                text = text[:at] + text[end:]
            case 3:
                text = text[:at] + chr(draw.randrange(0x110000)) + text[at + 1 :]
            case 4:
                text = text[:end] + text[at:end] * draw.choice((1, 2, 50)) + text[end:]
            case _:
                text = piece if draw.random() < 0.2 else text.swapcase()
    return text[:20_000]


def mutated_bytes(draw: Random, content: bytes) -> bytes:
    """The content with flipped, lost, doubled or other bytes."""
    data = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 4))):
        at, end = sorted(draw.randint(0, len(data)) for _ in range(2))
        match draw.randrange(5):
            case 0 if at < len(data):
                data[at] ^= 1 << draw.randrange(8)
            case 1:
                data = data[:at]
            case 2:
                data[at : min(end, at + 40)] = b""
            case 3:
                data[at:at] = draw.choice(NASTY).encode(errors="surrogatepass")
            case _:
                data[at:at] = data[at : min(end, at + 200)] * draw.choice((1, 3))
    return bytes(data)


@contextlib.contextmanager
def one_line_or_fine() -> Iterator[None]:
    """Whatever is refused is refused in words that fit on a line of reasonable length."""
    try:
        yield
    except DiffingError as error:
        line = " ".join(str(error).split())
        assert 10 < len(line) < LONGEST_LINE, f"{len(line)} characters"
