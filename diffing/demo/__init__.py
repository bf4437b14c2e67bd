"""The embedded demo pair: two tiny chat models with planted differences, and their prompts."""
