"""Ways of proposing hypotheses by clustering sentences, for comparison with the default."""
