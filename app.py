"""Starts the page as a Space; to start it on your own machine, run `python app.py`."""

import os
import sys

# visitors must not act with the Space's own account; huggingface_hub reads this variable at import
if os.environ.get("SYSTEM") == "spaces":
    os.environ.setdefault("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
    # the Hub's proxies are in a private network; address headers from anybody else are ignored
    os.environ.setdefault("FORWARDED_ALLOW_IPS", "127.0.0.1,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16")

from diffing.errors import DiffingError
from diffing.view import build, launch_options, open_first_page, open_site, warm_up
from diffing.view.site import settings_from
from diffing.view.zero import prepare

prepare()  # before anything uses CUDA
if __name__ == "__main__":
    try:
        site = open_site(settings_from(os.environ))
        with open_first_page(site) as place:
            demo = build(site)
            options = launch_options(site) | place
    except DiffingError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    warm_up()
    demo.launch(**options)
