"""Reads the activations of both models of a run at the same places of the same texts, and changes them to see effects.

Shared by the methods that look inside the models (`crosscoder`, `adapters`); knows no dictionaries and no features.
"""
