"""The results page: every benchmark's stored result as Markdown and as one HTML page. Writes no sentence of its own."""
