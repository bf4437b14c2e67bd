"""Numbers the latents of a crosscoder and its difference dictionary in one sequence, and names them in reports."""

from dataclasses import dataclass

_DIFFERENCE = "d"


@dataclass(frozen=True, slots=True)
class LatentNumbering:
    """The latents of the crosscoder come first, then those of the difference dictionary."""

    crosscoder: int
    """The number of latents of the crosscoder."""
    difference: int
    """The number of latents of the difference dictionary; 0 without one."""
    block: int | None = None
    """The block of model A that is read, if a run reads several and names must tell them apart."""

    @property
    def total(self) -> int:
        """The number of all latents."""
        return self.crosscoder + self.difference

    def name(self, index: int) -> str:
        """Returns the name of a latent: `17`, or `d17` in the difference dictionary; of block 4, `4.17` and `4.d17`."""
        own = str(index) if index < self.crosscoder else f"{_DIFFERENCE}{index - self.crosscoder}"
        return f"{self._prefix}{own}"

    def index(self, name: str) -> int:
        """Returns the number of a latent.

        Raises:
            ValueError: There is no latent of that name.
        """
        own = name.removeprefix(self._prefix)
        of_difference = own.startswith(_DIFFERENCE)
        digits = own.removeprefix(_DIFFERENCE)
        number = int(digits) if digits.isdecimal() and name.startswith(self._prefix) else -1
        if not 0 <= number < (self.difference if of_difference else self.crosscoder):
            raise ValueError(f"expected the name of one of {self.total} latents, got {name!r:.40}")
        return number + self.crosscoder if of_difference else number

    @property
    def _prefix(self) -> str:
        return "" if self.block is None else f"{self.block}."
