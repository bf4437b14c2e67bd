"""The Space. Locally: `python app.py`."""

from diffing.view import build

demo = build()

if __name__ == "__main__":
    demo.launch(run_history=False)
