"""Computes coverage: how much of what distinguishes two models' held-out responses the findings explain.

A logistic regression learns on train pairs which of two responses is model A's, once from all that was looked at and
once from the verdicts of the confirmed findings, and both are tested on held-out pairs. It does not know what the
findings say, and it is a floor of what differs: a better reader of the texts may tell more pairs apart.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from math import log, log1p
from typing import TYPE_CHECKING

from diffing import metrics
from diffing.estimates import Coverage, Estimate
from diffing.types import Finding, Hypothesis, Judgement, Merged, Pair, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Floats = NDArray[np.float64]

FIRST = 5
"""The number of lines of which the coverage is given apart."""
ENOUGH_TRAIN, ENOUGH_HELDOUT = 100, 60
"""With fewer pairs, or with an interval wider than `WIDEST`, it is not said how much the findings explain."""
WIDEST = 0.5
TOLD_APART = 0.05
"""Above this p, the models cannot be told apart."""
SURE = 3.0
"""A pair is open if the findings are less than 3:1 sure of it."""
FOLDS = 5
STRENGTHS = (0.03, 0.3, 3.0)
"""The inverse strengths of regularisation from which cross-validation on train chooses, for verdicts alone."""
STRENGTH_OF_ALL = 10.0
"""The inverse strength of regularisation for all that was looked at."""
WEIGHT_OF_VERDICTS = 0.3
"""The value of a verdict beside the features of the texts."""
DRAWS = 1_000
"""The number of bootstrap samples."""
LEAST_TRAIN = 2 * FOLDS
"""With fewer train pairs nothing can be learnt."""
_ROUNDING = 1e-9
"""A score as small as this is 0: the pair is undecided."""


def cover(
    findings: Sequence[Finding], lines: Sequence[Merged], judgements: Sequence[Judgement], pairs: Sequence[Pair]
) -> Coverage | None:
    """Computes how many held-out pairs can be told apart from everything, and from the findings alone.

    A pair without an answer of one side is left out. A verdict that was never asked for, because judging stopped early,
    counts as none, so that the findings may explain more than is said. The result depends on neither the order of the
    pairs nor on which model is called A.

    Args:
        findings: All findings of the run.
        lines: The lines of the list, in order.
        judgements: All verdicts of the run.
        pairs: All pairs of the run.

    Returns:
        The coverage; None with fewer than 10 train pairs, or without held-out pairs.
    """
    answered = sorted((p for p in pairs if "error" not in (p.a.finish, p.b.finish)), key=_drawn)
    train = [pair for pair in answered if pair.prompt.split == "train"]
    heldout = [pair for pair in answered if pair.prompt.split == "heldout"]
    if len(train) < LEAST_TRAIN or not heldout:
        return None
    verdicts = _verdicts([finding.hypothesis for finding in findings], judgements, [*train, *heldout])
    confirmed = {finding.hypothesis.id for finding in findings if finding.confirmed}
    shown = [line.lead for line in lines if line.block == "behaviours" and line.lead in confirmed]
    everything = _told_from_everything(train, heldout, verdicts)
    told = [_told_from(verdicts, chosen, len(train), len(heldout)) for chosen in (confirmed, shown, shown[:FIRST])]
    return _coverage(everything, told, len(train))


def _drawn(pair: Pair) -> bytes:
    """Returns a sort key that shuffles pairs in the same way in every run, whatever their order was."""
    return hashlib.sha256(f"coverage {pair.prompt.id}".encode(errors="surrogatepass")).digest()


def _verdicts(
    hypotheses: Sequence[Hypothesis], judgements: Sequence[Judgement], pairs: Sequence[Pair]
) -> Mapping[str, "Floats"]:
    """The verdicts on each hypothesis: 1 for A, -1 for B, else 0; shape (pairs,).

    The order of hypotheses does not depend on which model is called A, so that rounding does not either.
    """
    import numpy as np

    columns = {pair.prompt.id: column for column, pair in enumerate(pairs)}
    values = {hypothesis.id: np.zeros(len(pairs)) for hypothesis in hypotheses}
    for judgement in judgements:
        column = columns.get(judgement.prompt_id)
        if column is not None and judgement.verdict in (Verdict.A, Verdict.B) and judgement.hypothesis_id in values:
            values[judgement.hypothesis_id][column] = 1.0 if judgement.verdict is Verdict.A else -1.0

    def key(hypothesis: Hypothesis) -> tuple[str, bytes]:
        own = values[hypothesis.id]
        return hypothesis.text, (own if hypothesis.direction == "a" else 0 - own).tobytes()

    return {hypothesis.id: values[hypothesis.id] for hypothesis in sorted(hypotheses, key=key)}


def _told_from(verdicts: Mapping[str, "Floats"], chosen: Collection[str], train: int, heldout: int) -> "Floats":
    """Scores held-out pairs by the verdicts on some hypotheses; regularisation is chosen on train pairs."""
    import numpy as np
    from scipy.sparse import csr_array

    own = [values for id_, values in verdicts.items() if id_ in chosen]
    features = csr_array(np.column_stack(own) if own else np.zeros((train + heldout, 0)))
    fold = np.arange(train) % FOLDS

    def loss(strength: float) -> float:
        """Log loss of train pairs, each scored by what was learnt from the other folds."""
        scores = np.empty(train)
        for each in range(FOLDS):
            others, left_out = features[:train][fold != each], features[:train][fold == each]
            scores[fold == each] = _scores(others, left_out, strength)
        return float(np.logaddexp(0.0, -scores).mean())

    strength = min(STRENGTHS, key=loss) if own else STRENGTHS[0]
    return _scores(features[:train], features[train:], strength)


def _told_from_everything(train: Sequence[Pair], heldout: Sequence[Pair], verdicts: Mapping[str, "Floats"]) -> "Floats":
    """Scores held-out pairs by the words of both responses, their sizes, and all verdicts of the run."""
    import numpy as np
    from scipy.sparse import csr_array, hstack

    from diffing.coverage.term_weights import term_differences

    pairs = (*train, *heldout)
    sizes = np.array([np.subtract(_sizes(pair.a.text), _sizes(pair.b.text)) for pair in pairs])
    own = np.column_stack([WEIGHT_OF_VERDICTS * values for values in verdicts.values()] or [sizes[:, :0]])
    learnt: list[csr_array] = []
    tested: list[csr_array] = []
    first = 0
    for terms in term_differences([(pair.a.text, pair.b.text) for pair in pairs], len(train)):
        last = first + terms.shape[0]
        rows = hstack([terms, csr_array(sizes[first:last]), csr_array(own[first:last])], format="csr")
        (learnt if last <= len(train) else tested).append(rows)
        first = last
    return _scores(_joined(learnt), _joined(tested), STRENGTH_OF_ALL)


def _joined(blocks: list["csr_array"]) -> "csr_array":
    """Joins blocks of rows, and empties the list meanwhile, so that no more than a block is in memory twice."""
    import numpy as np
    from scipy.sparse import csr_array

    shape = sum(block.shape[0] for block in blocks), blocks[0].shape[1]
    ends = np.cumsum([0, *(number for block in blocks for number in np.diff(block.indptr))])
    data, indices = np.empty(ends[-1], np.float64), np.empty(ends[-1], np.int32)
    first = 0
    blocks.reverse()
    while blocks:
        block = blocks.pop()
        last = first + block.nnz
        data[first:last], indices[first:last] = block.data, block.indices
        first = last
    return csr_array((data, indices, ends), shape=shape)


def _sizes(text: str) -> tuple[float, float, float, float]:
    """The logarithms of the numbers of characters, words and lines, and whether there is nothing but white space."""
    return log1p(len(text)), log1p(len(text.split())), log1p(len(text.splitlines())), float(not text.strip())


def _scores(train: "csr_array", heldout: "csr_array", strength: float) -> "Floats":
    """Learns on train pairs, whose features are A's less B's, and scores held-out pairs; above 0 is right."""
    from diffing.coverage.logistic_regression import fit_preference

    scores: Floats = heldout @ fit_preference(train, strength)
    return scores


def _coverage(everything: "Floats", told: Sequence["Floats"], train: int) -> Coverage:
    """Computes the coverage from the scores of held-out pairs.

    Args:
        everything: Scores from all that was looked at; above 0 is right.
        told: Scores from the findings, from the lines, and from the first lines.
        train: The number of train pairs.
    """
    import numpy as np

    right = _right(everything)
    p = metrics.sign_test(int((right == 1).sum()), int((right == 0).sum()))
    enough = p <= TOLD_APART and train >= ENOUGH_TRAIN and len(right) >= ENOUGH_HELDOUT
    findings, lines, first = map(_right, told)
    explained = [_explained(own, right) if enough else metrics.UNDEFINED for own in (findings, lines, first)]
    is_open = np.abs(told[0]) < log(SURE)
    return Coverage(
        everything=_mean(right),
        findings=_mean(findings),
        lines=_mean(lines),
        first_five=_mean(first),
        explained=explained[0],
        explained_by_lines=explained[1],
        explained_by_first_five=explained[2],
        open_pairs=metrics.wilson(int(is_open.sum()), len(right)),
        told_in_open=_mean(right[is_open]),
        p=p,
    )


def _right(scores: "Floats") -> "Floats":
    """Per pair: 1 if it is told right, 0 if wrong, 0.5 if undecided."""
    import numpy as np

    return np.where(np.abs(scores) < _ROUNDING, 0.5, (scores > 0).astype(float))


def _mean(right: "Floats") -> Estimate:
    return metrics.mean_of_halves(float(right.sum()), len(right))


def _explained(told: "Floats", everything: "Floats") -> Estimate:
    """Estimates how much of what is told above chance from everything is told from the findings.

    A bootstrap sample in which everything tells no more than chance counts as infinite, so it widens the interval.
    """
    import numpy as np

    drawn = np.random.default_rng(0).integers(0, len(told), (DRAWS, len(told)))
    part, whole = told[drawn].mean(axis=1) - 0.5, everything[drawn].mean(axis=1) - 0.5
    ratios = np.divide(part, whole, out=np.full(DRAWS, np.inf), where=whole > 0)
    low, high = np.quantile(ratios, [0.025, 0.975], method="inverted_cdf").tolist()
    if high - low > WIDEST:
        return metrics.UNDEFINED
    value = float((told.mean() - 0.5) / (everything.mean() - 0.5))
    return Estimate(value, min(low, value), max(high, value), len(told))
