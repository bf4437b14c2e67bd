"""Explains beside a measured finding what is counted, how accurately, and whether counting errors could cause it."""

from collections.abc import Mapping
from functools import cache

from diffing.counting_errors import caution
from diffing.methods.plan import measured_properties
from diffing.methods.property_info import PropertyInfo
from diffing.types import Finding, PropertyMeasure


def count_caution(finding: Finding) -> str:
    """Says that errors of the count alone could make the finding, which is then no claim; empty if they could not."""
    info = property_info(finding)
    return caution(info.errors, finding) if info else ""


def count_notes(finding: Finding) -> tuple[str, ...]:
    """Returns what is counted and how well this agrees with human labels, if a property was measured."""
    info = property_info(finding)
    return tuple(filter(None, (info.definition, info.accuracy))) if info else ()


def property_info(finding: Finding) -> PropertyInfo | None:
    """Returns what is known of the property that a finding measures; None if it measures none."""
    measure = finding.hypothesis.measure
    return _properties().get(measure.name) if isinstance(measure, PropertyMeasure) else None


@cache
def _properties() -> Mapping[str, PropertyInfo]:
    return measured_properties()
