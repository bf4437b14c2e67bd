"""Planted truth that needs training: the demo pair and tiny models tuned towards behaviours."""
