"""What `gen-infra doctor` says about one thing: ok, a warning, or wrong; and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DiagnosisLevel = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One line of the doctor's report.

    Args:
        level: ``wrong`` keeps an environment from working; a ``warning`` may.
        subject: what was looked at, such as ``security groups``.
        message: what was found.
        advice: what to do, where there is something to do; a command where one does it.
    """

    level: DiagnosisLevel
    subject: str
    message: str
    advice: str = ""


def ok(subject: str, message: str) -> Diagnosis:
    """Report that a thing is as it must be."""
    return Diagnosis("ok", subject, message)


def warning(subject: str, message: str, advice: str = "") -> Diagnosis:
    """Report what may cause trouble, or could not be checked."""
    return Diagnosis("warning", subject, message, advice)


def wrong(subject: str, message: str, advice: str) -> Diagnosis:
    """Report what keeps an environment from working."""
    return Diagnosis("wrong", subject, message, advice)
