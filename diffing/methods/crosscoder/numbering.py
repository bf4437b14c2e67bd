"""Numbers the latents of a run's crosscoder and difference dictionary in one sequence, and names them in reports."""

from dataclasses import dataclass

_DIFFERENCE = "d"


@dataclass(frozen=True, slots=True)
class LatentNumbering:
    """The latents of the crosscoder come first, then those of the difference dictionary."""

    crosscoder: int
    """The number of latents of the crosscoder."""
    difference: int
    """The number of latents of the difference dictionary; 0 without one."""

    @property
    def total(self) -> int:
        """The number of all latents."""
        return self.crosscoder + self.difference

    def name(self, index: int) -> str:
        """Returns the name of a latent: `17`, or `d17` in the difference dictionary."""
        return str(index) if index < self.crosscoder else f"{_DIFFERENCE}{index - self.crosscoder}"

    def index(self, name: str) -> int:
        """Returns the number of a latent.

        Raises:
            ValueError: There is no latent of that name.
        """
        of_difference = name.startswith(_DIFFERENCE)
        number = int(name.removeprefix(_DIFFERENCE))
        if not 0 <= number < (self.difference if of_difference else self.crosscoder):
            raise ValueError(f"expected the name of one of {self.total} latents, got {name!r:.40}")
        return number + self.crosscoder if of_difference else number
