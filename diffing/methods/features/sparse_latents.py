"""`Latents`: the active latents of one response with their largest activations, and as text for a cache."""

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from diffing.methods.exchanges import UnreadableResponse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Latents:
    """The latents of one response, with the maximum over its tokens."""

    indices: "NDArray[np.int32]"
    """The indices of the active latents, ascending."""
    values: "NDArray[np.float32]"
    """Their largest activation, above 0."""
    tokens: int
    """The number of tokens of the response."""

    def value(self, index: int) -> float:
        """Returns the largest activation of one latent; 0 if it is not active."""
        place = int(self.indices.searchsorted(index))
        if place < len(self.indices) and self.indices[place] == index:
            return float(self.values[place])
        return 0.0


def pack(latents: Latents | UnreadableResponse) -> str:
    """Encodes latents as text; `unpack` returns exactly the same latents."""
    if isinstance(latents, UnreadableResponse):
        return json.dumps({"refused": latents.reason})
    arrays = {"indices": _text(latents.indices, "<i4"), "values": _text(latents.values, "<f4")}
    return json.dumps({"tokens": latents.tokens, **arrays})


def unpack(text: str) -> Latents | UnreadableResponse | None:
    """Decodes the text that `pack` returned; None if the text is damaged."""
    try:
        record = json.loads(text)
        if "refused" in record:
            return UnreadableResponse(str(record["refused"]))
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
