"""A service that compares new revisions of models when they are pushed to the Hub, and publishes the results.

The Hub's webhook starts it. A queue and a worker run the diffs, whose results go to a dataset and the model card. Only
`serve` imports the web framework.
"""

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffing.annotate.settings import AnnotatorSettings

__all__ = ["serve"]


def serve(settings: "AnnotatorSettings", secret: str, *, host: str, port: int) -> None:
    """Runs the service until it is stopped.

    Args:
        settings: The settings of the service.
        secret: The secret that webhook requests must contain.
        host: Address to listen on.
        port: Port to listen on.

    Raises:
        MissingExtraError: The libraries of the service are not installed.
        SettingError: The secret cannot be used, or there is no token to publish with.
    """
    from huggingface_hub import get_token

    from diffing.annotate.app import create_app
    from diffing.errors import SettingError

    if get_token() is None:
        raise SettingError("The annotator has no account to publish with: set HF_TOKEN to a token with write access")

    app = create_app(settings, secret)
    import uvicorn

    logging.getLogger("diffing").setLevel(logging.INFO)
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False)
