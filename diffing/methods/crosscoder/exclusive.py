"""Writes what a report and a model card say about the latents of a crosscoder that belong to one model alone."""

EXCLUSIVE = (
    "A feature is called a model's own if, in this dictionary, only that model's activations carry it. It does not "
    "mean that the other model cannot do what the feature stands for: it may represent it elsewhere, at another "
    "depth, or in a way that the dictionary does not see. What the models do is tested by their responses alone."
)
"""What "exclusive" means and what it does not."""
