"""Embeds sentences as vectors for the LLM method, with one of three kinds of embedders."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from diffing.errors import HubError, MissingExtraError, ModelError
from diffing.model_ref import read_ref
from diffing.models.local.load_errors import reason
from diffing.paths import existing

Vectors = npt.NDArray[np.float32]

DEFAULT = "minishlab/potion-base-8M"
"""A static embedder: a table of 30 MB, no torch, thousands of sentences a second on one core. potion-base-32M clusters
better on MTEB, but its 130 MB would be by far the largest download of a first run on remote models; it can be named."""
COMPONENTS = 128
_FILES = ["*.json", "*.safetensors", "*.txt", "*.model"]


class Embedder(Protocol):
    """Turns sentences into vectors."""

    @property
    def name(self) -> str:
        """Identity, for the report; with the commit where it comes from the Hub."""

    def embed(self, sentences: Sequence[str]) -> Vectors:
        """One float32 row per sentence, of length 1 (or 0, for a sentence of which nothing is known)."""


class TfidfEmbedder:
    """Built in, without any download: TF-IDF over words and parts of words, reduced by a truncated SVD.

    It sees shared words only, no meaning, and is fitted on the very sentences it embeds.
    """

    name = "tf-idf and truncated SVD (built in)"

    def __init__(self, seed: int = 0) -> None:
        if find_spec("sklearn") is None:
            raise MissingExtraError("Method llm", "llm")
        self._seed = seed

    def embed(self, sentences: Sequence[str]) -> Vectors:
        """See `Embedder.embed`; at most 128 columns."""
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import make_union

        features = make_union(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\b\w+\b"),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True),
        ).fit_transform([without_placeholders(sentence) for sentence in sentences])
        components = min(COMPONENTS, min(features.shape) - 1)
        if components < 1:
            return _normalised(features.toarray())
        # where all sentences are the same there is no variance for it to divide by, which does not concern the vectors
        with np.errstate(invalid="ignore"):
            return _normalised(TruncatedSVD(components, random_state=self._seed).fit_transform(features))


class StaticEmbedder:
    """A model2vec table: the mean of its tokens' vectors."""

    def __init__(self, folder: Path, name: str) -> None:
        try:
            from model2vec import StaticModel
        except ImportError:
            raise MissingExtraError(f"The embedder {name}", "llm") from None
        self.name = name
        with _loading(name):
            self._model = StaticModel.from_pretrained(folder)

    def embed(self, sentences: Sequence[str]) -> Vectors:
        """See `Embedder.embed`."""
        return _normalised(self._model.encode([without_placeholders(sentence) for sentence in sentences]))


class TransformerEmbedder:
    """A sentence-transformers model."""

    def __init__(self, folder: Path, name: str) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError:
            line = 'pip install "sentence-transformers"'
            raise ModelError(
                f"The embedder {name} needs sentence-transformers, which is not installed. Run: {line}"
            ) from None
        self.name = name
        with _loading(name):
            self._model = SentenceTransformer(str(folder), model_kwargs={"use_safetensors": True})

    def embed(self, sentences: Sequence[str]) -> Vectors:
        """See `Embedder.embed`."""
        texts = [without_placeholders(sentence) for sentence in sentences]
        return _normalised(self._model.encode(texts, show_progress_bar=False))


@contextmanager
def _loading(name: str) -> Iterator[None]:
    """Turns every failure to load an embedder's files, for which tokenizers raises bare exceptions, into one line."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a list of their types would never be complete
        raise ModelError(f"The embedder {name} cannot be loaded: {reason(error)}. Fetch it again") from None


def load_embedder(spec: str, seed: int = 0) -> tuple[Embedder, str | None]:
    """Finds an embedder.

    Args:
        spec: `auto` (the small one on the Hub, else the built-in one), `tfidf` (the built-in one), a folder, or a Hub
            id with an optional `@revision`: a model2vec or a sentence-transformers model.
        seed: Of the built-in one.

    Returns:
        The embedder, and with `auto` a sentence for the report where it had to be the built-in one.

    Raises:
        ModelError: Named explicitly and not an embedder.
        HubError: Named explicitly and not to be had.
        MissingExtraError: Its library is not installed.
    """
    if spec == "tfidf":
        return TfidfEmbedder(seed), None
    if spec != "auto":
        return _open(*_fetch(spec)), None
    try:
        return _open(*_fetch(DEFAULT)), None
    except HubError as error:
        return TfidfEmbedder(seed), (
            f"Sentences were embedded by {TfidfEmbedder.name}, which sees shared words but no meaning, so clusters are "
            f"coarser than with the default embedder: {error}"
        )


def without_placeholders(sentence: str) -> str:
    """The sentence without `<MODEL>` and `<OTHER MODEL>`.

    Nearly every sentence holds them, so they would only move all vectors closer together; who owns a sentence is known
    from its field, not from its words.
    """
    return re.sub(r"<(?:OTHER )?MODEL>", " ", sentence).strip()


def _normalised(rows: npt.NDArray[Any]) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), dtype=np.float32)


def _fetch(spec: str) -> tuple[Path, str]:
    """The folder of an embedder, and its name; downloaded where it is not a folder on this machine."""
    folder = existing(spec)
    if folder and folder.is_dir():
        return folder, folder.resolve().name
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    ref = read_ref(spec)
    try:
        found = Path(
            snapshot_download(str(ref.unpinned), revision=ref.revision or None, allow_patterns=_FILES, etag_timeout=10)
        )
    except HFValidationError:
        raise ModelError(
            f"Embedder {spec!r:.100}: expected auto, tfidf, a folder or a Hub id such as {DEFAULT}, and it is none of "
            "these"
        ) from None
    except (LocalEntryNotFoundError, httpx2.TransportError):
        raise HubError(
            f"The embedder {spec} is not on this machine and the Hub cannot be reached. Go online, or take the "
            "built-in one (tfidf)"
        ) from None
    except HfHubHTTPError as error:
        raise HubError(
            f"The Hub refused the embedder {spec} (status {error.response.status_code}). Check the id and your login"
        ) from None
    return found, str(ref.at(found.name))


def _open(folder: Path, name: str) -> Embedder:
    """Tells the two kinds apart by their files."""
    config = folder / "config.json"
    try:
        kind = json.loads(config.read_text(encoding="utf-8")).get("model_type") if config.is_file() else None
    except (OSError, ValueError, AttributeError, RecursionError):
        raise ModelError(f"Embedder {name}: its config.json is no JSON object; get the file again") from None
    if kind == "model2vec":
        return StaticEmbedder(folder, name)
    if (folder / "modules.json").is_file():
        return TransformerEmbedder(folder, name)
    raise ModelError(
        f"Embedder {name}: expected a model2vec or sentence-transformers model (config.json with model_type model2vec, "
        f"or modules.json), and {folder} holds neither. Give another one, or tfidf"
    )
