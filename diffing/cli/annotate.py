"""`diffing annotate`: starts the annotator, or makes the Hub tell it of a model's pushes."""

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
        help="JSON file with what to annotate and how.",
        show_default="$ANNOTATOR_SETTINGS",
    ),
]
Watch = Annotated[
    list[str] | None,
    typer.Option("--watch", help="Make the Hub tell the service of pushes to this model (org/name); then end."),
]
Url = Annotated[
    str | None, typer.Option("--url", help="Address of the running service.", show_default="the Space's own")
]
Host = Annotated[str, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int, typer.Option("--port", help="Port to listen on.")]


def annotate(
    *, settings: Settings = None, watch: Watch = None, url: Url = None, host: Host = "127.0.0.1", port: Port = 7860
) -> None:
    """Annotate new revisions of models: take the Hub's webhooks, compare, publish a dataset and a card section.

    The webhook's secret comes from ANNOTATOR_SECRET, the account from HF_TOKEN or the login.
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
    line = f"Webhook {done}: {made.url} is told of {', '.join(made.watched)}"
    Console().print(line, markup=False, highlight=False, soft_wrap=True)
