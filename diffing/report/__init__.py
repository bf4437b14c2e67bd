"""Saves reports to a folder, loads them back, and looks things up in them.

`SCHEMA.md` in this package documents the folder of a saved report; it is generated from `schema.py`. This package does
not depend on any method, page or command.
"""

from diffing.report.store import load_report, load_settings, save_report
from diffing.report.summary import report_summary

__all__ = ["load_report", "load_settings", "report_summary", "save_report"]
