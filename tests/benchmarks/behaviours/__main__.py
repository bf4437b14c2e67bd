"""Runs the benchmark: `python -m tests.benchmarks.behaviours [--out FOLDER]`; about two minutes on a core."""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from diffing.bench.results import BenchmarkResult, ResultColumn, save_result
from diffing.demo.config import demo_config
from diffing.report.index import index_of
from diffing.run import run
from diffing.types import Row
from tests.benchmarks.behaviours.measures import ListMeasures, lines_until
from tests.benchmarks.behaviours.recorded_pairs import DATA, recorded_reports
from tests.benchmarks.demo import GROUND_TRUTH
from tests.benchmarks.page import RESULTS

TOO_RARE = {"sailor"}
"""8 % of one domain in eleven: two held-out prompts, which confirm nothing."""
ABOUT = """Every two models that answered the same recorded prompts are compared by the lexical method, and the demo
pair by the lexical and the SAE method. A line is a confirmed behaviour with all findings that are signs of it. Before:
the list that joins only findings that say the same, ordered by net difference; bare SAE features come last. Words and
phrases and SAE features that join no behaviour are folded, and are no lines.

Repeated: of the first 15 lines, those whose verdicts on held-out prompts correlate with those of an earlier one by .5
or more, for the same side or not. Members: findings that joined a line by the verdicts on train prompts; they say more
than their line if its lead leaves at least .4 of their net difference on held-out prompts, by three standard errors or
more. Refuses: the place of the line that “refuses more often” leads. The weights of the order were set with the demo
pair in view, and that of words (“speaks more of risks”) with XSTest's. The largest share that a line may leave of a
member, and that paragraphs are no kin of length, were set with the members in view that said more on these recorded
pairs; they were checked on other samples of the same models' responses, where 2 of 47 members said more before and
none of 41 now."""
_COLUMNS = (
    ResultColumn("pair", "Models"),
    ResultColumn("confirmed", "Confirmed findings"),
    ResultColumn("lines_before", "Lines before"),
    ResultColumn("lines", "Lines"),
    ResultColumn("wording", "Words and phrases, folded"),
    ResultColumn("features", "SAE features, folded"),
    ResultColumn("repeated_before", "Repeated before"),
    ResultColumn("first_before", "of"),
    ResultColumn("repeated", "Repeated"),
    ResultColumn("first", "of"),
    ResultColumn("says_more", "Members that say more"),
    ResultColumn("signs", "of"),
    ResultColumn("refuses_before", "Refuses before"),
    ResultColumn("refuses", "Refuses"),
    ResultColumn("planted", "Lines until all that was planted is there"),
)


def rows() -> Iterator[Row]:
    """One row for each pair, and one with the sums over the recorded pairs."""
    report = run(demo_config())
    planted = [each for each in json.loads(GROUND_TRUTH.read_text("utf-8"))["planted"] if each["id"] not in TOO_RARE]
    yield {**ListMeasures(report).row("demo pair"), "planted": lines_until(index_of(report).differences, planted)}
    measured: list[Row] = []
    for name, one in recorded_reports() if DATA.is_dir() else ():
        measured.append({**ListMeasures(one).row(name), "planted": None})
        yield measured[-1]
    if measured:
        yield _sums(measured)


def _sums(measured: Sequence[Row]) -> Row:
    counts = [key for key in measured[0] if key not in ("pair", "refuses", "refuses_before", "planted")]
    sums = {key: sum(int(row[key] or 0) for row in measured) for key in counts}
    empty: Row = {"refuses_before": None, "refuses": None, "planted": None}
    return {"pair": f"all {len(measured)} recorded pairs", **sums, **empty}


def result_of(measured: Sequence[Row]) -> BenchmarkResult:
    """The rows with their explanation."""
    return BenchmarkResult(
        kind="behaviours",
        title="One line per behaviour",
        command="python -m tests.benchmarks.behaviours",
        about=ABOUT.replace("\n\n", "\0").replace("\n", " ").replace("\0", "\n\n"),
        rows=tuple(measured),
        columns=_COLUMNS,
    )


def main() -> None:
    """Runs everything and saves the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    measured: list[Row] = []
    for row in rows():
        measured.append(row)
        print(*(f"{key} {value}" for key, value in row.items()), flush=True)
    save_result(result_of(measured), options.out / "behaviours.json")


if __name__ == "__main__":
    main()
