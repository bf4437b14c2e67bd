"""Measures whether the methods find planted differences: behaviours of one model on prompts that are known.

This package plants behaviours in a model, recognises them in responses, and scores the methods' findings against them.
"""
