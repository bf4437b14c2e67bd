"""The Space. Locally: `python app.py`."""

import os

from diffing.view import build, launch_options, open_site
from diffing.view.site import own_machine, settings_from

site = open_site(settings_from(os.environ) if os.environ.get("SPACE_ID") else own_machine())
demo = build(site)

if __name__ == "__main__":
    demo.launch(**launch_options())
