"""What the LLM method states and confirms when the LLM describes the same properties in ever different words."""
