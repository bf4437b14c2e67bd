"""Half characters in outside text: JSON can spell them, no file and no request can hold them."""


def without_surrogates(text: str) -> str:
    """The text with question marks for lone surrogates, so that it can be encoded."""
    return text.encode(errors="replace").decode()
