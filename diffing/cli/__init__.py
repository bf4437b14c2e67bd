"""The command line `diffing`, and the only package that prints.

It imports heavy libraries only within commands, so that `diffing --help` answers at once.
"""

from diffing.cli.commands import main

__all__ = ["main"]
