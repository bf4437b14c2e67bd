"""Planted differences: behaviours of which it is known who has them, on which prompts, and whether a method finds them.

Knows how behaviours are planted and recognised, and how finding them is scored; no method by name but where it builds
them, and no page.
"""
