"""The columns of the tables of a saved report that hold findings, with their ratings, evidence and levels."""

from dataclasses import replace

from diffing.report.column_specs import ColumnSpec, TableSpec


def _estimate(prefix: str, name: str, doc: str) -> tuple[ColumnSpec, ...]:
    return (
        ColumnSpec(f"{prefix}{name}", "float64", f"{doc}; null if undefined.", nullable=True),
        ColumnSpec(f"{prefix}{name}_low", "float64", "Lower end of its 95% interval.", nullable=True),
        ColumnSpec(f"{prefix}{name}_high", "float64", "Upper end of its 95% interval.", nullable=True),
    )


def _metrics(split: str) -> tuple[ColumnSpec, ...]:
    prefix = f"{split}_"
    return (
        ColumnSpec(f"{prefix}n", "int64", f"Readable verdicts on {split} prompts."),
        ColumnSpec(f"{prefix}k_for", "int64", "Verdicts for the predicted side."),
        ColumnSpec(f"{prefix}k_against", "int64", "Verdicts for the other side."),
        ColumnSpec(f"{prefix}unreadable", "int64", "Verdicts that could not be read; they count in no rate."),
        *_estimate(prefix, "frequency", "(k_for + k_against) / n"),
        *_estimate(prefix, "accuracy", "k_for / (k_for + k_against)"),
        *_estimate(prefix, "net_difference", "(k_for - k_against) / n"),
        ColumnSpec(
            f"{prefix}p",
            "float64",
            "Exact one-sided sign test of k_for against k_against; for counted signs at least that of whole responses "
            "and that of `per_word` with the chances `chance_a`.",
            nullable=True,
        ),
    )


def _metrics_in_part(prefix: str, doc: str, since: int) -> tuple[ColumnSpec, ...]:
    """The columns of metrics on a part of the held-out prompts, which a finding may lack."""
    n, *others = _metrics(prefix)
    return tuple(replace(column, nullable=True, since=since) for column in (replace(n, doc=doc), *others))


def _concentration() -> tuple[ColumnSpec, ...]:
    return (
        ColumnSpec(
            "concentration",
            "string",
            "The scope in which the difference is concentrated, in words: measured, chosen on train prompts and tested "
            "on held-out prompts. For a hypothesis with a measured scope of its own, it is that scope. Null if no "
            "narrower place was found or none was sought, like the columns below.",
            nullable=True,
            since=5,
        ),
        ColumnSpec("concentration_rule", "string", "Its rule, in the form of `scope_rule`.", nullable=True, since=5),
        *_metrics_in_part("concentration_inside", "Readable verdicts on held-out prompts in this scope.", 5),
        *_metrics_in_part("concentration_outside", "Readable verdicts on the other held-out prompts.", 5),
        ColumnSpec(
            "concentration_p_differs",
            "float64",
            "Exact one-sided p-value that the verdicts inside favour the predicted side as much, were the scope's "
            "labels exchangeable between prompts.",
            nullable=True,
            since=5,
        ),
        ColumnSpec(
            "concentration_q",
            "float64",
            "The larger of `concentration_inside_p` and `concentration_p_differs` after Benjamini-Hochberg over the "
            "scopes of all confirmed findings; null for a hypothesis with a scope of its own.",
            nullable=True,
            since=5,
        ),
    )


def _rating(scale: str) -> tuple[ColumnSpec, ...]:
    return (
        ColumnSpec(scale, "float64", "Mean rating, 1 to 5.", nullable=True),
        ColumnSpec(f"{scale}_low", "float64", "The lowest single rating.", nullable=True),
        ColumnSpec(f"{scale}_high", "float64", "The highest single rating.", nullable=True),
        ColumnSpec(f"{scale}_n", "int64", "Number of readable ratings; null if no rater was asked.", nullable=True),
    )


FINDING_TABLES: dict[str, TableSpec] = {
    "findings": TableSpec(
        "One hypothesis with its test results, in the report's order: confirmed ones first.",
        (
            ColumnSpec("id", "string", "Unique in the run, and the same in every rerun."),
            ColumnSpec(
                "text", "string", "Starts with `<MODEL>`, the model of `direction`; the other is `<OTHER MODEL>`."
            ),
            ColumnSpec(
                "direction", "string", "The side of which the sentence is predicted to hold more often: `a` or `b`."
            ),
            ColumnSpec("method", "string", "The method that found it."),
            ColumnSpec("category", "string", "One of the seven categories."),
            ColumnSpec(
                "measure",
                "string",
                "What was measured, if no LLM judged: `property`, `phrase`, `latents` (the text only names a latent "
                "of an SAE), `crosscoder latents above` or `adapter features above` (likewise, of a dictionary that "
                "was trained on both models); the last three with ` in words` if an LLM wrote the text about them.",
                nullable=True,
            ),
            ColumnSpec(
                "measured",
                "string",
                "The property's name, the phrase, the latents' numbers, or features with their thresholds and the hash "
                "of their dictionary.",
                nullable=True,
            ),
            ColumnSpec(
                "train_effect",
                "float64",
                "The size of the difference on train, as the method measures it.",
                nullable=True,
            ),
            ColumnSpec(
                "speaks_of",
                "string",
                "The measured property of which the text says that its model has more; null if it was measured itself, "
                "or if the LLM that wrote the text named none.",
                nullable=True,
            ),
            ColumnSpec(
                "scope_kind",
                "string",
                "The kind of the scope: `stated` (an LLM put it into words, and the judge decided from each prompt "
                "alone whether it holds) or `measured` (`scope_rule` decides); null if the hypothesis speaks of all "
                "prompts.",
                nullable=True,
                since=4,
            ),
            ColumnSpec(
                "scope", "string", "The condition in words, such as `when asked to sum up`.", nullable=True, since=4
            ),
            ColumnSpec(
                "scope_rule",
                "string",
                "The rule of a measured scope as JSON: `terms`, each with its `kind` (`domain`, `part` of the names of "
                "several domains, `word` of the last user message, `form`) and `value`, and `junction` (`and`, `or`, "
                "`without`; null for a single term). Null for other scopes.",
                nullable=True,
                since=5,
            ),
            ColumnSpec("accepted", "bool", "Whether it meets the paper's criterion on train prompts."),
            ColumnSpec("confirmed", "bool", "Whether held-out prompts confirm it: q <= 0.05."),
            *_rating("interestingness"),
            *_rating("abstraction"),
            *_metrics("train"),
            *_metrics("heldout"),
            ColumnSpec(
                "heldout_q",
                "float64",
                "p after Benjamini-Hochberg, where hypotheses from descriptions are weighed by their train verdicts.",
                nullable=True,
            ),
            *_metrics_in_part(
                "heldout_in_scope",
                "Readable verdicts on held-out prompts in the scope; null without a scope, like the columns below.",
                4,
            ),
            *_concentration(),
        ),
    ),
    "ratings": TableSpec(
        "One rater's ratings of one hypothesis.",
        (
            ColumnSpec("hypothesis_id", "string", "The hypothesis."),
            ColumnSpec("rater", "string", "The rater's model id."),
            ColumnSpec("interestingness", "int64", "1 to 5; null if the reply could not be read.", nullable=True),
            ColumnSpec("abstraction", "int64", "1 to 5; null if the reply could not be read.", nullable=True),
        ),
        since=3,
    ),
    "evidence": TableSpec(
        "One passage that led to a hypothesis, in the order of the findings.",
        (
            ColumnSpec("hypothesis_id", "string", "The hypothesis."),
            ColumnSpec("prompt_id", "string", "The prompt of the pair that it comes from."),
            ColumnSpec("side", "string", "The side whose response is quoted: `a` or `b`."),
            ColumnSpec("quote", "string", "The quoted words of the response."),
        ),
    ),
    "levels": TableSpec(
        "How much of what a finding is about one model shows by itself, on the prompts of one split and place.",
        (
            ColumnSpec("hypothesis_id", "string", "The hypothesis."),
            ColumnSpec("split", "string", "`train` or `heldout`."),
            ColumnSpec(
                "place",
                "string",
                "`all` prompts of the split, or those `inside` or `outside` the scope in which the finding is "
                "concentrated or, without one, the scope of its hypothesis.",
            ),
            ColumnSpec("side", "string", "The model: `a` or `b`."),
            ColumnSpec(
                "kind",
                "string",
                "`share` (of responses that show it), `median` (of what was counted) or `fits` (the share of pairs in "
                "which the judge says that this model's response shows it, alone or like the other one).",
            ),
            *_estimate("", "value", "The share or the median"),
            ColumnSpec("n", "int64", "Number of responses or, for `fits`, of readable verdicts."),
        ),
        since=5,
    ),
}
"""The tables, by name."""
