"""Reads rows from data files (JSON, CSV, TSV, parquet, zip) and parses the conversations in them.

Files may come from strangers, so their size is limited before they are parsed. What the rows mean, prompts or
responses, is up to the caller.
"""
