"""Alternatives within the LLM method: hypotheses from clusters of sentences, for comparison with the default."""
