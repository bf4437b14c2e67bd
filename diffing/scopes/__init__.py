"""Finds on which prompts a difference occurs: searched on train prompts, tested on held-out prompts.

`find_scoped` proposes hypotheses that hold within a part of the prompts; `with_concentrations` finds where confirmed
findings are concentrated. `meets` tells whether a prompt is in a measured scope. A scope says where, not why: prompts
of a domain share words and length, and the rule that is named is the best one, not the only one. Nothing is searched
on held-out prompts, and no model is asked.
"""

from diffing.scopes.concentrations import own_concentrations, with_concentrations
from diffing.scopes.prompt_reading import meets
from diffing.scopes.scoped_hypotheses import MeasuredScopes, find_scoped
from diffing.scopes.wording import words_of_rule

__all__ = [
    "MeasuredScopes",
    "find_scoped",
    "meets",
    "own_concentrations",
    "with_concentrations",
    "words_of_rule",
]
