"""A report's life on disk and its machine-readable summary. Knows no method, no page and no command line.

`SCHEMA.md` beside this file documents the folder; it is generated from `schema.py`.
"""

from diffing.report.store import load_report, load_settings, save_report
from diffing.report.summary import order_findings, report_summary

__all__ = ["load_report", "load_settings", "order_findings", "report_summary", "save_report"]
