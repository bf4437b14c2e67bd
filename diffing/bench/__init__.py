"""Benchmarks that users run on their own models: null runs, planted differences, and comparisons of methods."""
