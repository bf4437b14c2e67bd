"""Defines properties of a response's form, such as headings or emoji: a hypothesis for each, and how it is measured.

Form is read in the prose: a comment in a code block is no heading, and `!=` no exclamation.
"""

import re

from diffing.methods.lexical.measured_property import MeasuredProperty
from diffing.methods.lexical.measured_values import CountsMatches, Holds, OnlyWith, SoughtPattern, pattern
from diffing.methods.lexical.parsed_response import ParsedResponse
from diffing.methods.lexical.prose import FORMULA, INLINE_CODE, QUOTATION
from diffing.methods.lexical.word_tokens import UNSPACED

HEADING = pattern(r"^ {0,3}#{1,6}[ \t]+\S")
BULLET = pattern(r"^[ \t\u3000]*(?:[-*+•‣◦–][ \t]+|[・●■◆][ \t\u3000]*)\S")
LIST_NUMBER = pattern(r"^[ \t\u3000]*(?:\(?\d{1,3}[.)][ \t]+|[(（]?\d{1,3}[、．）][ \t\u3000]*)\S")
NUMBERED = pattern(
    rf"{LIST_NUMBER.pattern}|^[ \t\u3000]*(?:[(（]?[一二三四五六七八九十]{{1,3}}[、．.）)]|[①-⑳])[ \t\u3000]*\S"
)
"""Matches a numbered item; in Chinese and Japanese also one such as `一、` or `１．`, with no space after it."""
BOLD = pattern(r"\*\*[^*\n]{1,300}\*\*|__[^_\n]{1,300}__")
ITALICS = pattern(r"(?<![*\w])\*[^*\s][^*\n]{0,200}\*(?![*\w])")
CODE_BLOCK = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff\U0001f300-\U0001faff\u2600-\u27bf\u2b50\u2b55]|(?<![^\\s.!?,])[:;]-?[)(DP](?![\\w)])"
)
LINK = pattern(r"https?://\S|www\.\w|\]\(\S")
MATHS = re.compile(rf"{FORMULA.pattern}|\$\$|\\[(\[]|\\(?:frac|sqrt|sum|int|begin)\b", re.DOTALL)
NUMBER = pattern(rf"(?<![^\W{UNSPACED}])(?<![.,])\d+(?:[.,]\d+)*")
UPPER_CASE = re.compile(r"\b[A-ZÀ-ÖØ-ÞΑ-ΫЀ-Я]{4,}\b")
DASH = pattern(r"—+| – ")
PARENTHESIS = pattern(r"\([^()\n]{2,300}\)|（[^（）\n]{2,300}）")
QUESTION = pattern("[?？؟\u055e\u1367]")
"""Matches a question mark, also of Arabic, Armenian or Ethiopic script."""
_BULLETS, _NUMBERED, _NUMBERS, _LIST_NUMBERS = map(CountsMatches, (BULLET, NUMBERED, NUMBER, LIST_NUMBER))
_CODE_MARK, _FORMULA_MARK = re.compile("`"), re.compile(r"[$\\]")
QUESTION_AT_END = re.compile(rf"{QUESTION.pattern}[\"'”’»)*」』）]{{0,3}}\s*\Z")


def bullets(exchange: ParsedResponse) -> float:
    """Returns 1 if there are at least two bullet points, since a single dash is not a list; otherwise 0."""
    return float(_BULLETS(exchange) >= 2)


def numbered(exchange: ParsedResponse) -> float:
    """Returns 1 if there are at least two numbered items, otherwise 0."""
    return float(_NUMBERED(exchange) >= 2)


def lists(exchange: ParsedResponse) -> float:
    """Returns 1 if there is a bulleted or a numbered list, otherwise 0."""
    return max(bullets(exchange), numbered(exchange))


def table(exchange: ParsedResponse) -> float:
    """Returns 1 if a line consists only of `|`, `-` and `:`, as below a Markdown table's head; otherwise 0."""
    return float(
        any(
            "|" in line and "--" in line and set(line) <= set("|:- ")
            for line in map(str.strip, exchange.prose.split("\n"))
        )
    )


def numbers(exchange: ParsedResponse) -> float:
    """Counts the numbers, without those that number a list."""
    return max(0.0, _NUMBERS(exchange) - _LIST_NUMBERS(exchange))


def ends_with_question(exchange: ParsedResponse) -> float | None:
    """Returns 1 if the last character before closing quotes and brackets is a question mark, otherwise 0.

    It is 0 if the response ends with code or a link, and None if the token limit cut the response.
    """
    if exchange.finish == "length":
        return None
    end = exchange.prose[: len(exchange.text.rstrip())][-100:]
    return float(end[-1:].strip() != "" and QUESTION_AT_END.search(end) is not None)


FORM = (
    MeasuredProperty(
        "headings",
        "<MODEL> uses headings more often",
        "format",
        "a line that starts with one to six #",
        Holds(HEADING),
        show=HEADING,
    ),
    MeasuredProperty(
        "lists",
        "<MODEL> answers with lists more often (bulleted or numbered)",
        "format",
        "at least two bullet points or two numbered items, each at the start of a line",
        OnlyWith(lists, (_BULLETS, _NUMBERED)),
        show=re.compile(f"(?:{BULLET.pattern}|{NUMBERED.pattern})", re.MULTILINE),
    ),
    MeasuredProperty(
        "bullet_lists",
        "<MODEL> uses bullet points more often",
        "format",
        "at least two lines that start with a dash, an asterisk or a bullet",
        OnlyWith(bullets, (_BULLETS,)),
        show=BULLET,
    ),
    MeasuredProperty(
        "numbered_lists",
        "<MODEL> uses numbered lists more often",
        "format",
        "at least two lines that start with a number and a full stop or bracket",
        OnlyWith(numbered, (_NUMBERED,)),
        show=NUMBERED,
    ),
    MeasuredProperty(
        "tables",
        "<MODEL> uses tables more often",
        "format",
        "a line of |, - and : alone, as below the head of a Markdown table",
        OnlyWith(table, (SoughtPattern(re.compile("--")),)),
    ),
    MeasuredProperty(
        "bold",
        "<MODEL> sets words in bold more often",
        "format",
        "**words** or __words__",
        Holds(BOLD),
        show=BOLD,
    ),
    MeasuredProperty(
        "italics",
        "<MODEL> sets words between single asterisks (italics, or acted gestures) more often",
        "format",
        "*words* between single asterisks",
        Holds(ITALICS),
        show=ITALICS,
    ),
    MeasuredProperty(
        "code_blocks",
        "<MODEL> writes code blocks more often",
        "format",
        "a line that starts with ``` or ~~~",
        Holds(CODE_BLOCK, "text"),
        show=CODE_BLOCK,
        part="text",
    ),
    MeasuredProperty(
        "inline_code",
        "<MODEL> sets words as inline code more often",
        "format",
        "`words` between single backticks",
        OnlyWith(Holds(INLINE_CODE, "text"), (SoughtPattern(_CODE_MARK, "text"),)),
        show=INLINE_CODE,
        part="text",
    ),
    MeasuredProperty(
        "emoji",
        "<MODEL> uses emoji or emoticons more often",
        "style",
        "an emoji, a pictograph or an emoticon such as :)",
        Holds(EMOJI),
        show=EMOJI,
    ),
    MeasuredProperty(
        "links",
        "<MODEL> gives links more often",
        "format",
        "a URL or a Markdown link",
        Holds(LINK, "outside_code"),
        show=LINK,
        part="outside_code",
    ),
    MeasuredProperty(
        "maths",
        "<MODEL> writes formulas in LaTeX more often",
        "format",
        "$x$, $$, \\(, \\[ or a LaTeX command",
        OnlyWith(Holds(MATHS, "outside_code"), (SoughtPattern(_FORMULA_MARK, "outside_code"),)),
    ),
    MeasuredProperty(
        "numbers",
        "<MODEL> gives more numbers",
        "style",
        "numbers, without those that number a list",
        OnlyWith(numbers, (_NUMBERS,)),
        scale="counts",
        show=NUMBER,
    ),
    MeasuredProperty(
        "quotations",
        "<MODEL> puts more words in quotation marks",
        "style",
        "passages in quotation marks",
        CountsMatches(QUOTATION),
        scale="counts",
        show=QUOTATION,
    ),
    MeasuredProperty(
        "upper_case",
        "<MODEL> writes more words in capitals",
        "style",
        "words of four or more letters in capitals",
        CountsMatches(UPPER_CASE),
        scale="counts",
        show=UPPER_CASE,
    ),
    MeasuredProperty(
        "dashes",
        "<MODEL> uses more dashes",
        "style",
        "em dashes, and en dashes between spaces",
        CountsMatches(DASH),
        scale="counts",
        show=DASH,
    ),
    MeasuredProperty(
        "parentheses",
        "<MODEL> adds more remarks in parentheses",
        "style",
        "passages in parentheses, outside code and formulas",
        CountsMatches(PARENTHESIS),
        scale="counts",
        show=PARENTHESIS,
    ),
    MeasuredProperty(
        "exclamation_marks",
        "<MODEL> uses more exclamation marks",
        "style",
        "exclamation marks",
        CountsMatches(pattern("[!！]")),
        scale="counts",
        show=pattern("[!！]"),
    ),
    MeasuredProperty(
        "question_marks",
        "<MODEL> asks more questions",
        "style",
        "question marks, outside code and links",
        CountsMatches(QUESTION),
        scale="counts",
        show=QUESTION,
    ),
    MeasuredProperty(
        "ends_with_question",
        "<MODEL> ends with a question to the user more often",
        "style",
        "the last character is a question mark, but for closing quotes and brackets; not judged where the token limit "
        "cut either response",
        ends_with_question,
        show=QUESTION_AT_END,
    ),
)
"""All properties of form."""
