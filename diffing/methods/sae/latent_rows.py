"""The latents of one response: which are active, how strongly at most. Sparse, and as text for the cache."""

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from diffing.methods.sae.reader_tokens import Refused

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Latents:
    """One response's latents, pooled over its tokens."""

    indices: "NDArray[np.int32]"
    """The active latents, ascending."""
    values: "NDArray[np.float32]"
    """Their largest activation, above 0."""
    tokens: int
    """How many tokens were read."""

    def value(self, index: int) -> float:
        """The largest activation of one latent; 0 where it is not active."""
        place = int(self.indices.searchsorted(index))
        if place < len(self.indices) and self.indices[place] == index:
            return float(self.values[place])
        return 0.0


def pack(latents: Latents | Refused) -> str:
    """As text; `unpack` gives exactly the same back."""
    if isinstance(latents, Refused):
        return json.dumps({"refused": latents.reason})
    arrays = {"indices": _text(latents.indices, "<i4"), "values": _text(latents.values, "<f4")}
    return json.dumps({"tokens": latents.tokens, **arrays})


def unpack(text: str) -> Latents | Refused | None:
    """What was packed; None where the text is damaged."""
    try:
        record = json.loads(text)
        if "refused" in record:
            return Refused(str(record["refused"]))
        indices, values = _array(record["indices"], "<i4"), _array(record["values"], "<f4")
        tokens = int(record["tokens"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return Latents(indices, values, tokens) if len(indices) == len(values) else None


def _text(array: Any, dtype: str) -> str:  # noqa: ANN401 - an array of either kind
    return base64.b64encode(array.astype(dtype).tobytes()).decode()


def _array(text: str, dtype: str) -> Any:  # noqa: ANN401
    import numpy as np

    return np.frombuffer(base64.b64decode(text, validate=True), dtype=dtype)
