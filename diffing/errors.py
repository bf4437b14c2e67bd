"""The errors a user can mend. Each message says what was expected, what was got, and what to do.

Everything else is a bug and is not caught: it crashes loudly.
"""

from diffing.masking import masked


class DiffingError(Exception):
    """Something the user can mend; shown as one line, without a traceback, exit code 2. It holds no secrets."""

    def __init__(self, message: str = "") -> None:
        super().__init__(masked(message))


class SettingError(DiffingError):
    """A setting, file or argument that cannot be used as it is."""


class MissingExtraError(DiffingError):
    """A part of the package whose libraries are not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f'{what} needs libraries that are not installed. Run: pip install "diffing[{extra}]"')


class ModelError(DiffingError):
    """A model that cannot be loaded, reached or used."""


class HubError(DiffingError):
    """The Hub refused or could not be reached."""

    def __init__(self, message: str, *, status: int | None = None, gated: bool = False) -> None:
        super().__init__(message)
        self.gated = gated
        """Whether the repository is there, and its owner has to let the account in."""
        self.status = status
        """The status the Hub answered with, such as 403 or 412; None where it did not answer."""
        self.gated = gated
        """Whether access must be asked for on the repository's page."""


class LimitError(DiffingError):
    """A hard limit of calls or dollars was reached; what was done is kept, a rerun goes on from there."""
