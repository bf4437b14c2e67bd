"""The embedded demo pair: two tiny chat models with planted differences, their prompts and their ground truth."""
