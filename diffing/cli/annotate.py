"""The command `diffing annotate`: starts the annotation service, or registers its webhook on the Hub."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from diffing.paths import path_of

Settings = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        parser=path_of,
        metavar="PATH",
        help="JSON file with the service's settings.",
        show_default="$ANNOTATOR_SETTINGS",
    ),
]
Watch = Annotated[
    list[str] | None,
    typer.Option("--watch", help="Register a webhook for pushes to this model (org/name), then exit."),
]
Url = Annotated[str | None, typer.Option("--url", help="URL of the running service.", show_default="the Space's own")]
Host = Annotated[str, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int, typer.Option("--port", help="Port to listen on.")]


def annotate(
    *, settings: Settings = None, watch: Watch = None, url: Url = None, host: Host = "127.0.0.1", port: Port = 7860
) -> None:
    """Run a service that annotates new revisions of models: it compares them, publishes a dataset and edits the card.

    The Hub's webhooks start it. Their secret comes from ANNOTATOR_SECRET, the account from HF_TOKEN or the login.
    """
    from diffing.annotate import serve
    from diffing.annotate.settings import load_settings, secret_of_environment

    secret = secret_of_environment()
    if not watch:
        chosen = load_settings(settings)
        Console(stderr=True).print(f"Annotator: http://{host}:{port}", markup=False, highlight=False)
        serve(chosen, secret, host=host, port=port)
        return
    from diffing.annotate.webhook_subscription import subscribe
    from diffing.hub import hub_api

    made = subscribe(hub_api(), watch, url, secret)
    done = "created" if made.created else "updated"
    line = f"Webhook {done}: {made.url} receives pushes to {', '.join(made.watched)}"
    Console().print(line, markup=False, highlight=False, soft_wrap=True)
