"""Publishes trained crosscoders and adapters as model repositories on the Hub."""

from diffing.outputs.dictionary.dictionary_push import PushedDictionary, dictionary_files, push_dictionary
from diffing.outputs.dictionary.parts import dictionary_of

__all__ = ["PushedDictionary", "dictionary_files", "dictionary_of", "push_dictionary"]
