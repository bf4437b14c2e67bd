"""Puts the comparisons of every two of several models together: distances, a tree, and what separates its branches.

It takes finished reports and asks no model.
"""

from diffing.family.relations import FEWEST, MOST, Family, FamilyFork, PairResult, Separation, family_of

__all__ = ["FEWEST", "MOST", "Family", "FamilyFork", "PairResult", "Separation", "family_of"]
