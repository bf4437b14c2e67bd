"""Planted differences: it is known which model shows a behaviour and on which prompts; do the methods find it?

Knows how behaviours are planted and recognised, and how finding them is scored; no method by name but where it builds
them, and no page.
"""
