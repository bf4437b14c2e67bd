"""What the lexical method gives on recorded pairs, as digests: `python -m tests.methods.lexical.recorded_results`.

The digests beside this file were made before the method was made faster (commit 302e39c), so that every table,
hypothesis, quote, verdict and value stays the same. The command writes them anew; do so only if a result is meant to
change.
"""

import hashlib
import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from diffing.methods.lexical import LexicalMethod
from diffing.types import Hypothesis, Message, Pair, Prompt, Response, Row, Scalar

DATA = Path(__file__).parents[4] / "shared" / "data"
DIGESTS = Path(__file__).with_suffix(".json")
FEW = 40
"""Number of pairs for which a digest takes a fraction of a second."""
RECORDED = {
    "pretrained-sft": ("pythia12b-pretrained.sample0", "pythia12b-sft-2.5k.sample0"),
    "sft-more-sft": ("pythia12b-sft-2.5k.sample1", "pythia12b-sft-7k.sample1"),
    "sft-rlhf": ("pythia12b-sft-7k.sample0", "pythia12b-rlhf-2k.sample0"),
    "humor": ("llama30b-profile-humor_0.1.sample0", "llama30b-profile-humor_0.9.sample0"),
    "english-german": ("llama30b-profile-humor_0.1.sample1", "llama30b-profile-length_2_lang_de.sample1"),
    "base-chat": ("llama-13b.vicuna80", "vicuna-13b.vicuna80"),
    "refusals": ("xstest_llama2orig", "xstest_gpt4"),
}
"""Seven pairs of recorded models, by name; their responses are in English, German, Spanish and Hebrew."""
SENTENCES = (
    "是的，天气真的非常好。我们可以去公园散步！",
    "はい、今日はとてもいい天気です。コンピューターが好きですか？",
    "วันนี้อากาศดีมาก เราไปเดินเล่นที่สวนสาธารณะกันไหม",
    "आज मौसम बहुत अच्छा है। हम पार्क में घूमने जा सकते हैं।",
    "الطقس جميل جدا اليوم. هل نذهب إلى الحديقة؟",
    "Сегодня очень хорошая погода. Пойдём гулять в парк!",
    "오늘 날씨가 정말 좋습니다. 공원에 갈까요?",
    "Das Wetter ist heute sehr schön, z.B. im Park. Möchten Sie gehen?",
    "Il fait très beau aujourd’hui ; c'est l'été. «On y va ?»",
    "Hoy hace muy buen tiempo. ¿Quieres ir al parque?",
)
"""One or two sentences each in ten languages and scripts, of which answers are put together."""
ODD = (
    *(
        "I can't help with that. ",
        "I'm sorry, but I cannot assist. ",
        "e.g. this",
        "U.S.A. is",
        "1. Do it.\n",
        "(2.",
        "3.",
    ),
    *(
        "as an AI ",
        "may",
        "might_not",
        "naïve",
        "état",
        "“quoted words”",
        "`code`",
        "```\nx = 1 # !\n```",
        "$x^2$",
        "$5 and $6",
    ),
    *(
        "https://a.b/c?d=e",
        "see www.x.org",
        "User: hi\n\n",
        "**bold**",
        "*soft*",
        "# Head\n",
        "- item\n",
        "| a |\n|---|\n",
    ),
    *(":)", "😊", "—", " – ", "WORDS", "3,5", "x=2.5", "\n", "\n\n", " ", "\t", "\u00a0", "\u2028", "\x0b", "\x1c"),
    *(
        "\ud800",
        "e\u0301",
        "क्",
        "ดี",
        " ดี",
        "天",
        "。",
        "カタ",
        "?",
        "!",
        "...",
        '."',
        "What?Yes",
        "end.Then",
        "ab.Cd",
        "a.b.c",
    ),
)
"""Pieces of which odd texts are put together: ends of sentences, abbreviations, marks, code, white space."""


def recorded_pairs(name: str) -> list[Pair]:
    """The pairs of two recorded models, in the order of the file, or pairs that are put together."""
    if name == "languages":
        return _put_together(SENTENCES, " ", 12, seed=1)
    if name == "odd":
        return _put_together((*ODD, *SENTENCES[:3]), "", 40, seed=2) + _put_together(ODD, " ", 60, seed=3)
    rows_a, rows_b = (list(_rows(side)) for side in RECORDED[name])
    by_id = {row["id"]: row for row in rows_b}
    return [pair_of(row["id"], row["prompt"], row["response"], by_id[row["id"]]["response"]) for row in rows_a]


def pair_of(prompt_id: str, prompt: str, a: str, b: str) -> Pair:
    """A pair of two answers to a prompt; every fifth pair was cut by the token limit on one side."""
    cut = int(hashlib.sha256(prompt_id.encode()).hexdigest(), 16) % 10
    return Pair(
        Prompt(prompt_id, (Message("user", prompt),), "recorded", "train"),
        Response(prompt_id, "A", a, "length" if cut == 0 else "stop"),
        Response(prompt_id, "B", b, "length" if cut == 1 else "stop"),
    )


def digests_of(pairs: Sequence[Pair]) -> dict[str, str]:
    """A digest of each part of what the method gives: hypotheses, tables, what is left out, verdicts, values."""
    method = LexicalMethod()
    found = method.find_hypotheses(pairs)
    measured = method.measure_values(found.hypotheses, pairs)
    shown = [
        [None if each is None else sorted(each) for each in method.sentences_shown(list(measured.values), pair, side)]
        for pair in pairs[:10]
        for side in ("a", "b")
    ]
    return {
        "hypotheses": _digest([_fields(each) for each in found.hypotheses]),
        "candidates": _digest([_fields(each) for each in found.candidates]),
        "tables": _digest([(name, [_cells(row) for row in rows]) for name, rows in found.tables.items()]),
        "left out and notes": _digest((sorted(found.left_out.items()), found.notes)),
        "verdicts": _digest(
            [
                (each.hypothesis_id, each.prompt_id, each.verdict.value, each.judge, each.per_word, each.chance_a)
                for each in measured.judgements
            ]
        ),
        "values": _digest([(str(measure), values.tolist()) for measure, values in measured.values.items()]),
        "sentences shown": _digest(shown),
    }


def _put_together(pieces: Sequence[str], between: str, most: int, seed: int) -> list[Pair]:
    draw = random.Random(seed)

    def text() -> str:
        return between.join(draw.choices(pieces, k=draw.randrange(most)))

    return [pair_of(f"p{seed}-{number}", text()[:200], text(), text()) for number in range(60)]


def _rows(name: str) -> Iterator[dict[str, str]]:
    folder = "refusals" if name.startswith("xstest") else "responses"
    for line in (DATA / folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _cells(row: Row) -> list[tuple[str, Scalar]]:
    """The cells of a row, without the words in which a property is explained."""
    return [(name, value) for name, value in row.items() if name != "definition"]


def _fields(hypothesis: Hypothesis) -> tuple[Any, ...]:
    evidence = [(each.prompt_id, each.side, each.quote) for each in hypothesis.evidence]
    claim = (hypothesis.id, hypothesis.text, hypothesis.direction, hypothesis.category, str(hypothesis.measure))
    return (*claim, evidence, hypothesis.train_effect)


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]


def main() -> None:
    """Writes the digests of a few and of all pairs."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for name in (*RECORDED, "languages", "odd"):
        pairs = recorded_pairs(name)
        found[name] = {"few": digests_of(pairs[:FEW]), "all": digests_of(pairs)}
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DIGESTS
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
