"""Published crosscoders: opened from a folder or from the Hub instead of being trained."""
