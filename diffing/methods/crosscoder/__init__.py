"""The crosscoder method: trains one sparse dictionary on the activations of both models; tests what only one has."""
