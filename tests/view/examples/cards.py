"""What the start page shows of each example, from its report: `python -m tests.view.examples.make` stores it."""

import json
from dataclasses import asdict

from diffing.outputs.claims import claim_in_words, confirmed_leads, headline_leads
from diffing.outputs.headline import statements
from diffing.outputs.phrasing import count, prompts_in
from diffing.outputs.rate_bars import bars
from diffing.report import load_report
from diffing.report.index import index_of
from diffing.types import Report
from diffing.view.examples import CARDS, EXAMPLES, ExampleCard, example_folder


def card_of(report: Report) -> ExampleCard:
    """The card of a report."""
    index = index_of(report)
    leads = confirmed_leads(index)
    first = headline_leads(report)[:1]
    statement = claim_in_words(first[0], index.names.brief) if first else statements(report)[0]
    prompts = count(prompts_in(report, "heldout"), "prompt")
    total = count(len(leads), "confirmed difference") if leads else "No confirmed difference"
    return ExampleCard(
        names={"a": index.names.a, "b": index.names.b},
        statement=statement.replace("\u00a0", " "),
        bars=bars(first[0], index.names) if first else (),
        total=f"{total}, checked on {prompts} kept aside".replace("\u00a0", " "),
    )


def store_cards() -> None:
    """Writes the cards of all examples."""
    cards = {each.key: asdict(card_of(load_report(example_folder(each.key), token=False))) for each in EXAMPLES}
    CARDS.write_text(json.dumps(cards, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
