"""Publishes trained dictionaries as model repositories on the Hub."""

from diffing.outputs.dictionary.parts import dictionary_of
from diffing.outputs.dictionary.push import PushedDictionary, dictionary_files, push_dictionary

__all__ = ["PushedDictionary", "dictionary_files", "dictionary_of", "push_dictionary"]
