"""Collects the download formats that are listed in the registry."""

from collections.abc import Mapping

from diffing import registry
from diffing.outputs.formats import DownloadFormat

FORMATS: Mapping[str, DownloadFormat] = {key: registry.load(place) for key, place in registry.OUTPUTS.items()}
"""The download formats by key, in the order in which they are offered."""
