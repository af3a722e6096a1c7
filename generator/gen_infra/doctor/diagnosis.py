"""What `gen-infra doctor` says about one thing: it is well, it may hurt, or it will fail; and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One line of the doctor's.

    Args:
        level: ``wrong`` keeps an environment from working; a ``warning`` may.
        subject: what was looked at, such as ``security groups``.
        message: what was found.
        advice: what to do, where there is something to do; a command where one does it.
    """

    level: Level
    subject: str
    message: str
    advice: str = ""


def ok(subject: str, message: str) -> Diagnosis:
    """It is as it must be."""
    return Diagnosis("ok", subject, message)


def warning(subject: str, message: str, advice: str = "") -> Diagnosis:
    """It works, but not as well or as surely as it could; or it could not be looked at."""
    return Diagnosis("warning", subject, message, advice)


def wrong(subject: str, message: str, advice: str) -> Diagnosis:
    """An environment cannot work like this."""
    return Diagnosis("wrong", subject, message, advice)
