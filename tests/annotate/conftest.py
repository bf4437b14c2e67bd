"""The Hub on loopback for the annotator's tests."""

from tests.hub.fixtures import hub

__all__ = ["hub"]
