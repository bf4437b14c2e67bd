"""Exception classes for errors that a user can fix; each message says what was expected, what was found, what to do.

Any other exception is a bug. It is not caught, and shows its traceback.
"""

from diffing.masking import masked


class DiffingError(Exception):
    """An error that the user can fix: shown as one line without a traceback, with exit code 2. Secrets are masked."""

    def __init__(self, message: str = "") -> None:
        super().__init__(masked(message))


class SettingError(DiffingError):
    """A setting, file or argument that cannot be used as it is."""


class MissingExtraError(DiffingError):
    """A feature was used whose optional libraries are not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f'{what} needs libraries that are not installed. Run: pip install "diffing[{extra}]"')


class ModelError(DiffingError):
    """A model that cannot be loaded, reached or used."""


class HubError(DiffingError):
    """The Hub refused or could not be reached."""

    def __init__(self, message: str, *, status: int | None = None, gated: bool = False, missing: bool = False) -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status that the Hub answered with, such as 403 or 412; None if it did not answer."""
        self.gated = gated
        """Whether the repository exists, but access to it must be requested on its page."""
        self.missing = missing
        """Whether the Hub shows no repository of this name to this account."""


class LimitError(DiffingError):
    """A hard limit of calls or dollars was reached. Finished work is kept, and a rerun continues from there."""
