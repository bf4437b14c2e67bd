"""The crosscoder method: a sparse dictionary of both models' activations, which tells what only one model has."""
