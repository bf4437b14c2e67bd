"""Opens the weights of the base and the tuned model for the adapters method, and combines them in one `Hybrid`."""

from dataclasses import dataclass

from diffing.errors import ModelError
from diffing.methods.adapters.branches import AdapterBranches
from diffing.methods.adapters.compatibility import check_pair, check_vocabularies
from diffing.methods.adapters.hybrid import Hybrid
from diffing.methods.inside.side_models import SideModel


@dataclass(frozen=True, slots=True)
class BaseAndTuned:
    """Model A, the base, and model B, which was tuned from it; nothing is loaded yet."""

    base: SideModel
    """Model A."""
    tuned: SideModel
    """Model B."""

    def check(self) -> None:
        """Refuses two models that cannot have adapters, from their configurations alone.

        Raises:
            ModelError: An architecture is not admitted, or they are not of one shape.
        """
        check_pair(self.base.id, self.base.architecture, self.tuned.id, self.tuned.architecture)

    def hybrid(self, branches: AdapterBranches) -> Hybrid:
        """Loads the weights of both models.

        Raises:
            HubError: The weights cannot be downloaded.
            ModelError: They cannot be loaded, not both at once, or the models have different tokens.
        """
        tuned, base = self.tuned.whole(), self.base.whole()
        if not self.tuned.in_memory:
            raise ModelError(
                "Adapters need the base and the tuned model in memory at once, and there is room for only one of them. "
                "Use a machine with more memory, or --method crosscoder, which can read one after the other"
            )
        check_vocabularies(self.base.id, self.base.vocabulary, self.tuned.id, self.tuned.vocabulary)
        return Hybrid(tuned.model, base.model, branches)

    def close(self) -> None:
        """Frees the memory of both models."""
        self.base.close()
        self.tuned.close()
