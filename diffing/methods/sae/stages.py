"""Names the stages of the SAE method for progress, usage and cost estimates."""

from collections.abc import Mapping

from diffing.types import Side, Stage

READ = Stage("read", "Reading", "response")
SCORE_LABELS = Stage("score labels", "Label scores")
LABEL = Stage("label", "Labels")
SCORE_NEW_LABELS = Stage("score new labels", "New labels' scores")
SUMMARISE: Mapping[Side, Stage] = {
    "a": Stage("summarise a", "Summaries of A"),
    "b": Stage("summarise b", "Summaries of B"),
}
SIFT: Mapping[Side, Stage] = {"a": Stage("sift a", "Sifting of A"), "b": Stage("sift b", "Sifting of B")}
