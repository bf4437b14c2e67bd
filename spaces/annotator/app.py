"""The annotator as a Space. Own server, not Gradio's: behind server-side rendering that one answers POST with 405."""

import logging
import os

from diffing.cli import main

if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(message)s")
    main(["annotate", "--host", "0.0.0.0", "--port", os.environ.get("GRADIO_SERVER_PORT", "7860")])
