"""Rows of files, and the conversations in them. Knows neither prompts nor responses: who reads a file does.

Whatever is read may come from strangers: everything is bounded in size before it is parsed.
"""
