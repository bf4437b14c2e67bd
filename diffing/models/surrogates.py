"""Replaces lone surrogates in text, which JSON can spell but UTF-8 files and requests cannot hold."""


def without_surrogates(text: str) -> str:
    """Replaces lone surrogates by question marks, so that the text can be encoded."""
    return text.encode(errors="replace").decode()
