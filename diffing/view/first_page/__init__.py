"""The page that visitors can read while Gradio is imported, which takes seconds: the start page, or a result's answer.

It answers nothing but reading. As soon as Gradio's page is there, the browser loads that one in its place.
"""

from diffing.view.first_page.first_server import FIRST_PAGE_HEADER, first_page

__all__ = ["FIRST_PAGE_HEADER", "first_page"]
