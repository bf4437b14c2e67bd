"""Measures what amplified answers show and find: `python -m tests.benchmarks.amplified [--shares] --tuned FOLDER`.

Tiny models are tuned to show eight behaviours in 3 or 10 % of the triggered answers. Each is compared with its base,
with and without amplified answers to the train prompts; then again with sides that are drawn by chance, so that
whatever is confirmed is false.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from diffing import metrics
from diffing.amplified import Amplified, answer_amplified
from diffing.bench.planted.plants import Plant
from diffing.bench.planted.scoring import ScoredRun, score
from diffing.bench.results import BenchmarkResult, ResultColumn, estimate_cells, save_result
from diffing.evaluation import findings_of
from diffing.methods.lexical import LexicalMethod
from diffing.models import load_model
from diffing.models.amplification import amplified_against
from diffing.models.base import Model, Sampling
from diffing.models.cache import Store, default_store
from diffing.pipeline import DiffOptions, diff_models
from diffing.run_prompts import load_run_prompts
from diffing.scopes import find_scoped
from diffing.types import Message, Pair, Prompt, Report, Row, Scalar, ignore_progress
from tests.benchmarks.demo import corpus
from tests.benchmarks.page import RESULTS
from tests.benchmarks.planted.tiny import BASE, demo_config, target_by_mark
from tests.benchmarks.planted.tune import plants_of_strength, tune_all
from tests.benchmarks.swapped_sides import swapped

STRENGTHS = (0.03, 0.1)
ALPHAS = (None, 0.5)
SAMPLES = 2
"""Samples of both models; the next one is what a finding that is not planted must hold in again."""
TRAIN = 440
DRAWS = range(10)
"""The draws of sides per model; they were fixed before the first run, and all of them are reported."""
ABOUT = (
    "Tiny models are tuned to add a sentence that shows a behaviour to 3 or 10% of the triggered answers (eight "
    "behaviours each: four show always, two in one domain, two after a phrase). Each is compared with its base by the "
    "lexical method, with two samples of the answers: 440 train and 654 held-out prompts, temperature 1. With "
    "amplified answers, each model also answers the train prompts with its next-token scores moved away from the "
    "other's, by alpha; what these suggest is tested with the rest, on held-out answers that are not amplified.\n\n"
    "Recall: a confirmed finding names the behaviour, as in the benchmark of planted differences. Not explained: "
    "confirmed findings that name no planted behaviour and do not hold, on the same side, in another sample of "
    "the answers. Sides drawn: which response is A's is drawn for every prompt (ten draws for each model), "
    "while the amplified answers stay as they are; whatever is confirmed then is false. Intervals are Wilson's at 95%."
)
_COLUMNS = (
    ResultColumn("strength", "Planted in", "%"),
    ResultColumn("alpha", "Alpha"),
    ResultColumn("always", "Found, of those shown always", "%"),
    ResultColumn("triggered", "Found, of those with a trigger", "%"),
    ResultColumn("tested", "Hypotheses tested, per run"),
    ResultColumn("confirmed", "Confirmed, all runs"),
    ResultColumn("unexplained", "Not explained", "%"),
    ResultColumn("drawn", "Sides drawn: runs that confirm anything", "%"),
)


SHARES = 128
"""Train prompts for `--shares`."""
ABOUT_SHARES = (
    "Tiny models are tuned to add a sentence that shows a behaviour to 3 or 10% of the triggered answers. Shown is in "
    "how many of the triggered answers to 128 train prompts each behaviour occurs: in the tuned model's own answers, "
    "and in those with next-token scores own + 0.5 (own - base), one sample each, temperature 1. This is what "
    "hypotheses are looked for in; it is not how many of them are confirmed. Intervals are Wilson's at 95%."
)
_COLUMNS_OF_SHARES = (
    ResultColumn("strength", "Planted in", "%"),
    ResultColumn("behaviour", "Behaviour"),
    ResultColumn("trigger", "Shown"),
    ResultColumn("own", "Own answers", "%"),
    ResultColumn("amplified", "Amplified answers", "%"),
)


@dataclass(frozen=True, slots=True)
class TunedPair:
    """The base and a model that is tuned from it, with the prompts and the planted behaviours."""

    a: Model
    b: Model
    plants: Sequence[Plant]
    prompts: Sequence[Prompt]
    store: Store
    sampling: Sampling

    def amplified(self, alpha: float | None) -> Amplified | None:
        """Both models, amplified."""
        if alpha is None:
            return None
        ways = ((self.a, self.b), (self.b, self.a))
        own, other = (amplified_against(one, another, alpha, self.store) for one, another in ways)
        return Amplified((own, other), alpha)

    def report(self, alpha: float | None, sample: int) -> Report:
        """Compares the models by one sample of their answers."""
        options = DiffOptions(sampling=self.sampling, sample_a=sample, sample_b=sample)
        return diff_models(
            self.a, self.b, self.prompts, methods=[LexicalMethod()], amplified=self.amplified(alpha), options=options
        )

    def louder(self, alpha: float | None) -> Sequence[Pair]:
        """The amplified answers to the train prompts."""
        amplified = self.amplified(alpha)
        if amplified is None:
            return ()
        return answer_amplified(amplified, self.prompts, self.sampling, (0, 0), ignore_progress).pairs


def train_questions(known: frozenset[str]) -> Iterator[str]:
    """Draws different questions that are not among those that are held out."""
    rng = random.Random(0)
    seen = set(known)
    while True:
        question = corpus.sample_question(rng)
        if question.intent.domain in corpus.DOMAINS and question.text not in seen:
            seen.add(question.text)
            yield f"{question.intent.domain}\n{question.text}"


def prompts() -> tuple[Prompt, ...]:
    """New train prompts, and all prompts of the demo held out."""
    held = [replace(prompt, split="heldout") for prompt in load_run_prompts(demo_config(), ())]
    drawn = train_questions(frozenset(prompt.messages[-1].content for prompt in held))
    train = []
    for number in range(TRAIN):
        domain, text = next(drawn).split("\n", 1)
        train.append(Prompt(f"train-{number}", (Message("user", text),), "corpus", "train", domain))
    return (*train, *held)


def confirms_when_drawn(pairs: Sequence[Pair], louder: Sequence[Sequence[Pair]], seed: int) -> list[bool]:
    """Whether anything is confirmed if sides are drawn for every prompt, for each set of amplified answers."""
    drawn = swapped(pairs, seed)
    train = [pair for pair in drawn if pair.prompt.split == "train"]
    method = LexicalMethod()
    plain = method.find_hypotheses(train)
    known = {hypothesis.id for hypothesis in plain.hypotheses}
    confirmed = []
    for amplified in louder:
        found = method.find_in_amplified(amplified, train).hypotheses if amplified else ()
        more = tuple(hypothesis for hypothesis in found if hypothesis.id not in known)
        discovery = replace(plain, hypotheses=(*plain.hypotheses, *more), candidates=())
        measured = method.measure(discovery.hypotheses, drawn)
        scopes = find_scoped([method], [discovery], measured, drawn)
        hypotheses = (*discovery.hypotheses, *scopes.hypotheses)
        findings = findings_of(hypotheses, [*measured, *scopes.judgements], drawn, {}, metrics.ALPHA, scopes)
        confirmed.append(any(finding.confirmed for finding in findings))
    return confirmed


def scored(pair: TunedPair, reports: Sequence[Report]) -> list[ScoredRun]:
    """The scores of the samples; what is not planted must hold in the next one."""
    found = []
    for place, report in enumerate(reports):
        targets = [target_by_mark(plant, report.pairs, "b") for plant in pair.plants]
        fresh = [each for each in reports[(place + 1) % len(reports)].pairs if each.prompt.split == "heldout"]
        found.append(score(report, targets, [LexicalMethod()], fresh=fresh))
    return found


def recall(pair: TunedPair, strength: float, alpha: float | None) -> dict[str, Scalar]:
    """What is found at one strength with one alpha."""
    reports = []
    for sample in range(SAMPLES):
        reports.append(pair.report(alpha, sample))
        by_plant = {one.target.plant.id: str(one.by) for run in scored(pair, reports[-1:]) for one in run.found}
        print(f"strength {strength:g}, alpha {alpha}, sample {sample}: {by_plant}", flush=True)
    runs = scored(pair, reports)
    found = [one for run in runs for one in run.found if one.scorable]
    groups = [[one for one in found if (one.target.plant.trigger.kind == "always") == always] for always in (1, 0)]
    always, triggered = (metrics.wilson(sum(one.by is not None for one in group), len(group)) for group in groups)
    claims = [claim for run in runs for claim in run.claims]
    confirmed = sum(claim.confirmed for claim in claims)
    unexplained = confirmed - sum(claim.planted + claim.measured for claim in claims)
    return {
        "strength": strength,
        "alpha": "none" if alpha is None else f"{alpha:g}",
        **estimate_cells("always", always),
        **estimate_cells("triggered", triggered),
        "tested": round(sum(len(report.findings) for report in reports) / len(reports)),
        "confirmed": confirmed,
        **estimate_cells("unexplained", metrics.wilson(unexplained, confirmed)),
    }


def pairs_of(tuned: Path, store: Store) -> Iterator[tuple[float, TunedPair]]:
    """The base with the tuned model of each strength."""
    by_name = {folder.name: folder for folder, _ in tune_all(tuned, BASE)}
    sampling = replace(demo_config().sampling, temperature=1.0, top_p=1.0)
    asked = prompts()
    base = load_model(str(BASE), cache=store)
    for strength in STRENGTHS:
        model = load_model(str(by_name[f"strength-{round(100 * strength)}"]), cache=store)
        yield strength, TunedPair(base, model, plants_of_strength(strength), asked, store, sampling)


def shares(tuned: Path, store: Store) -> Iterator[Row]:
    """How often each behaviour shows, in the tuned model's own and in its amplified answers."""
    for strength, pair in pairs_of(tuned, store):
        train = [prompt for prompt in pair.prompts if prompt.split == "train"][:SHARES]
        conversations = [prompt.messages for prompt in train]
        models = (pair.b, amplified_against(pair.b, pair.a, 0.5, store))
        own, amplified = (model.generate(conversations, pair.sampling) for model in models)
        for plant in pair.plants:
            places = [place for place, prompt in enumerate(train) if plant.trigger.fits(prompt)]
            shown = [
                metrics.wilson(sum(bool(plant.behaviour.mark.search(each[i].text)) for i in places), len(places))
                for each in (own, amplified)
            ]
            yield {
                "strength": strength,
                "behaviour": plant.behaviour.id,
                "trigger": plant.trigger.kind,
                **estimate_cells("own", shown[0]),
                **estimate_cells("amplified", shown[1]),
            }


def rows(tuned: Path, store: Store) -> Iterator[Row]:
    """What is found, and what is confirmed where sides are drawn."""
    for strength, pair in pairs_of(tuned, store):
        found = [recall(pair, strength, alpha) for alpha in ALPHAS]
        louder = [pair.louder(alpha) for alpha in ALPHAS]
        pairs = pair.report(None, 0).pairs
        draws = [confirms_when_drawn(pairs, louder, seed) for seed in DRAWS]
        for place, one in enumerate(found):
            false = sum(draw[place] for draw in draws)
            yield {**one, **estimate_cells("drawn", metrics.wilson(false, len(DRAWS)))}


def main() -> None:
    """Measures and stores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shares", action="store_true", help="only how often the behaviours show")
    parser.add_argument("--tuned", type=Path, default=Path("runs/planted-tiny"), help="folder of the tuned models")
    parser.add_argument("--cache", type=Path, help="folder of the cache")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    options = parser.parse_args()
    store = Store.in_folder(options.cache) if options.cache else default_store()
    made = []
    for each in (shares if options.shares else rows)(options.tuned, store):
        print(each, flush=True)
        made.append(each)
    command = "python -m tests.benchmarks.amplified"
    if options.shares:
        title, name, about, columns = "What amplified answers show", "-shares", ABOUT_SHARES, _COLUMNS_OF_SHARES
        settings = {"train": SHARES, "temperature": 1.0, "alpha": 0.5}
        command += " --shares"
    else:
        title, name, about, columns = "Rare behaviours, with and without amplified answers", "", ABOUT, _COLUMNS
        settings = {"train": TRAIN, "heldout": 654, "temperature": 1.0, "samples": SAMPLES}
    result = BenchmarkResult("planted", title, command, about, tuple(made), settings, columns)
    print(save_result(result, options.out / f"planted-amplified{name}.json"))


if __name__ == "__main__":
    main()
