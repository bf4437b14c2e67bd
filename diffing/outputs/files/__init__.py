"""Makes downloadable files of a report: a zip archive, a Markdown document and a CSV table."""
