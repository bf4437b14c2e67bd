"""What is lent to a visitor writes with the weights that its answers are kept under."""

from collections.abc import Generator

from diffing.demo.config import FOLDER
from diffing.models.base import Sampling
from diffing.models.local import LocalOptions
from diffing.types import Completion, Message, ignore_progress
from diffing.view.zero.gpu_process import AnswerWritten, GpuTask, LoanNote
from diffing.view.zero.lent_model import GpuAccess, LentModel
from tests.hub import LocalHub
from tests.hub.fixtures import hub

__all__ = ["hub"]


def test_a_model_that_got_another_commit_is_not_answered_for_by_its_old_weights(hub: LocalHub) -> None:
    orders: list[GpuTask] = []

    def write(order: GpuTask) -> Generator[LoanNote | None]:
        orders.append(order)
        yield AnswerWritten(0, Completion("Hello.", "stop"))

    for name in ("base", "tuned"):
        sha = hub.push_folder("org/moving", FOLDER / "models" / name)
        model = LentModel("org/moving", LocalOptions(device="cpu"), GpuAccess(write, False), "a", ignore_progress)
        model.generate([(Message("user", "Hi"),)], Sampling())
        assert (model.id, str(orders[-1].spec)) == (f"org/moving@{sha}", f"org/moving@{sha}")
    assert orders[0].spec != orders[1].spec
