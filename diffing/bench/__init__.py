"""Benchmarks that a user runs on models of their own: nulls, planted differences, methods compared."""
