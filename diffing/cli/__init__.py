"""The command line: `diffing run | demo | estimate | show`. The only place that prints.

Imports nothing heavy: `diffing --help` answers at once.
"""

from diffing.cli.commands import main

__all__ = ["main"]
