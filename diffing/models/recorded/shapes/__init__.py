"""The table of formats ("shapes") of recorded responses that other tools write, and the detection of a file's format.

A new format is a file with a `RecordingShape`, and its line in `SHAPES`.
"""

from diffing.models.recorded.shapes.chats import CHATS, SHAREGPT
from diffing.models.recorded.shapes.columns import ALPACA_EVAL, COLUMNS, named_columns
from diffing.models.recorded.shapes.fastchat import FASTCHAT
from diffing.models.recorded.shapes.helm import HELM
from diffing.models.recorded.shapes.inspect_log import INSPECT
from diffing.models.recorded.shapes.lm_eval import LM_EVAL
from diffing.models.recorded.shapes.openai_batch import OPENAI_BATCH
from diffing.models.recorded.shapes.shape import Beside, RecordedAnswer, RecordingShape
from diffing.rows.table_files import Row

__all__ = ["SHAPES", "Beside", "RecordedAnswer", "RecordingShape", "named_columns", "shape_of"]

SHAPES = (OPENAI_BATCH, HELM, INSPECT, LM_EVAL, FASTCHAT, ALPACA_EVAL, CHATS, SHAREGPT, COLUMNS)
"""All formats; the first that fits is used, so those with the most distinctive fields come first."""


def shape_of(row: Row) -> RecordingShape:
    """Detects the format of a file by the fields of its first row; unknown rows are later refused by `COLUMNS`."""
    return next((shape for shape in SHAPES if shape.fits(row)), COLUMNS)
