"""The error that a state ends with: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html."""

from __future__ import annotations


class StateError(Exception):
    """A state failed.

    Args:
        error: the name of the error, such as ``States.TaskFailed``.
        cause: its cause, a text or JSON.
        place: the field whose expression failed; empty otherwise.
    """

    def __init__(self, error: str, cause: str, *, place: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause
        self.place = place

    def matches(self, names: list[str]) -> bool:
        """Return whether a Retry or Catch with these names in ErrorEquals is for the error."""
        if self.error in names:
            return True
        if self.error in ("States.Runtime", "States.DataLimitExceeded"):
            return False  # States.ALL does not include these
        return "States.ALL" in names or ("States.TaskFailed" in names and self.error != "States.Timeout")
