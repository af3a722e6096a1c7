"""checkov (skeleton)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Checkov:
    python: str
    version: str


@dataclass(frozen=True, slots=True)
class CheckRecord:
    check_id: str
    check_name: str
    resource: str
    file: str
    lines: tuple[int, int]
    guideline: str = ""


@dataclass(frozen=True, slots=True)
class ScanResult:
    passed: tuple[CheckRecord, ...]
    failed: tuple[CheckRecord, ...]
    skipped: tuple[CheckRecord, ...]
    parsing_errors: tuple[str, ...]
    resources: frozenset[str]


@dataclass(frozen=True, slots=True)
class Suppression:
    """One allowed skip: ``resource`` is an fnmatch pattern over the resource address."""

    check_id: str
    resource: str
    reason: str


def find_checkov(environ: Mapping[str, str]) -> Checkov:
    raise NotImplementedError


def scan_hcl(checkov: Checkov, folder: Path, environ: Mapping[str, str]) -> ScanResult:
    raise NotImplementedError


def scan_plan(checkov: Checkov, plan_json: Mapping[str, Any], folder: Path, environ: Mapping[str, str]) -> ScanResult:
    raise NotImplementedError


def doubts(result: ScanResult, *, expected: frozenset[str], allowed: Sequence[Suppression]) -> tuple[str, ...]:
    """Why a scan result cannot be trusted although nothing failed; empty: it can."""
    raise NotImplementedError
