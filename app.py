"""The Space. Locally: `python app.py`."""

import os
import sys

# the Space's own account acts for no visitor; huggingface_hub reads this when it is imported
if os.environ.get("SYSTEM") == "spaces":
    os.environ.setdefault("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
    # the Hub's proxies stand in a private network; what visitors say themselves of where they come from counts nothing
    os.environ.setdefault("FORWARDED_ALLOW_IPS", "127.0.0.1,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16")

from diffing.errors import DiffingError
from diffing.view import build, launch_options, open_site, warm_up
from diffing.view.site import settings_from
from diffing.view.zero import prepare

prepare()  # before anything touches CUDA
try:
    site = open_site(settings_from(os.environ))
except DiffingError as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(2)
demo = build(site)

if __name__ == "__main__":
    warm_up()
    demo.launch(**launch_options(site))
