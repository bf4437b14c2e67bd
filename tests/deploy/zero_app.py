"""A page on a ZeroGPU Space: the real `spaces`, in its ZeroGPU mode, with this machine's CPU standing for the GPU.

`python -m tests.deploy.zero_app FOLDER`; SPACES_ZERO_GPU and SPACES_ZERO_DEVICE_API_URL are set as on such a Space.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path


def stand_in() -> None:
    """What a CUDA build of torch has and this one has not, as far as `spaces` looks at it."""
    import torch

    torch.version.cuda = "13.0"
    torch._C._cuda_init = int
    torch.cuda._is_in_bad_fork = bool
    torch.cuda.synchronize = lambda *_: None
    torch.Tensor.cuda = lambda self, *_, **__: self


def main(folder: Path) -> None:
    stand_in()
    from diffing.view.zero import answer_on_loans, prepare, zero_gpu

    assert prepare()
    assert zero_gpu()
    import gradio as gr

    from diffing.demo.config import demo_config
    from diffing.errors import DiffingError
    from diffing.view.runs import OWN_MACHINE

    few = replace(
        demo_config(),
        method=("lexical",),
        reader=None,
        sae=None,
        train=8,
        heldout=4,
        max_new_tokens=12,
        dtype="float32",
    )

    def go() -> Iterator[str]:
        try:
            for note in answer_on_loans(few, cache=folder, rules=OWN_MACHINE):
                yield f"{note.stage} {note.done}/{note.total}"
        except DiffingError as error:
            yield f"stopped: {error}"

    with gr.Blocks() as page:
        gr.Button().click(go, None, gr.Textbox(), api_name="go")
    page.queue(max_size=8)  # it would be 1 on ZeroGPU
    page.launch(ssr_mode=False, quiet=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
