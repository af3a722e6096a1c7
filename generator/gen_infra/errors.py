"""Define the expected failures: each class has its exit code, each error a hint.

Exit codes, as documented in docs/commands.md: 0 done; 1 it worked and the answer is no; 2 invalid usage or manifest;
3 a tool, credential or provider is missing; 4 a tool or AWS failed.
"""

from __future__ import annotations


class GenInfraError(Exception):
    """An expected failure, printed as ``error: message`` and, where there is one, ``hint: next action``.

    Args:
        message: what happened and where, one sentence without a trailing full stop.
        hint: what to do next, usually a command to type.
    """

    exit_code = 4

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def on_terminal(self) -> str:
        """Return the message for a terminal."""
        return self.message


class AnswerIsNoError(GenInfraError):
    """The command worked and its answer is no: a check failed, a difference was found, a job failed."""

    exit_code = 1


class UsageError(GenInfraError):
    """The command line, or a file that it names, is invalid; nothing was changed."""

    exit_code = 2


class MissingError(GenInfraError):
    """A tool, a credential or a provider is missing; the hint is the command that installs or sets it."""

    exit_code = 3


class ToolError(GenInfraError):
    """terraform, packer or checkov ran and failed."""

    exit_code = 4


class AwsError(GenInfraError):
    """An AWS call failed, or AWS could not be reached."""

    exit_code = 4
