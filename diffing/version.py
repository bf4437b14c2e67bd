"""The version of the package, readable even if it is not installed but a folder beside an app, as in a Space."""

VERSION = "0.1.0"
