"""Anything at all goes in: what comes out is a value, or one line that a user can act on, and never another exception.

Each kind of input is a module with a strategy for hypothesis and a check; `tests.benchmarks.fuzz` runs many of them.
"""
