"""The annotator as a Space. Own server, not Gradio's: behind server-side rendering that one answers POST with 405."""

import logging

from diffing.annotate import serve
from diffing.annotate.settings import load_settings, secret_of_environment

if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(message)s")
    serve(load_settings(), secret_of_environment(), host="0.0.0.0", port=7860)
