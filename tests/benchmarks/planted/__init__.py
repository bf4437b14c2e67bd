"""Scores the methods on differences that are planted by training: the demo models, and tiny models tuned for this."""
