"""The page's tests tell nobody of themselves."""

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "0"
