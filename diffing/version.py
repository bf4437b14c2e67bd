"""The package's version: also where it is a folder beside an app, not installed, as in a Space."""

VERSION = "0.1.0"
