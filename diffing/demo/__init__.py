"""The demo that ships with the package: two tiny chat models with planted differences, an SAE, and prompts."""
