"""Run checkov offline on clean copies, and detect scans that only look green.

A green run of checkov can be wrong. Any string with ``checkov:skip=ID`` disables a check, even in a tag; a plan scan
takes a comment for ``CKV2_AWS_62`` as one for ``CKV2_AWS_6`` too; it reports nothing for a file that it cannot parse,
nor for ``.tf.json``; configuration files and environment variables disable checks. So checkov gets a copy with only the
``*.tf`` files, without working skip comments, and almost no environment variables. The comments are read here: a failed
check counts as skipped only for exactly that check in exactly that block. This also finds unneeded comments. `doubts`
lists the remaining reasons not to trust a scan.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from gen_infra.errors import MissingError, ToolError
from gen_infra.tools import process
from gen_infra.tools.addresses import bare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_DRIVER = Path(__file__).with_name("driver.py")
_INSTALL = "pipx install checkov"
# Terraform or OpenTofu reads these files but checkov does not, or they change what is read or checked.
_UNREAD = (".tf.json", ".tofu", ".tofu.json", ".tfvars", ".tfvars.json", "override.tf")
_UNREAD_NAMES = frozenset({".checkov.yaml", ".checkov.yml", ".terraformrc"})
_SKIP = re.compile(r"(checkov|bridgecrew|cortex):skip=( *)([\w,-]*)", re.ASCII)


BlockPlace: TypeAlias = tuple[str, tuple[int, int]]
"""A file, and the first and last line of a block in it, from 1."""


@dataclass(frozen=True, slots=True)
class Checkov:
    """The Python interpreter of the virtual environment that checkov is installed in."""

    python: str


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """The result of one check for one resource.

    Attributes:
        check_id: such as ``CKV_AWS_7``.
        check_name: the requirement.
        resource: the address, such as ``module.m.aws_sqs_queue.q["a"]``.
        file: relative to the scanned folder; empty if a plan's resource has no unique place.
        lines: first and last line of its block, from 1.

    """

    check_id: str
    check_name: str
    resource: str
    file: str
    lines: tuple[int, int]


@dataclass(frozen=True, slots=True)
class CheckovSuppression:
    """One allowed skip; ``resource`` is a pattern (`fnmatch`, so ``[`` is special) for the resource's address."""

    check_id: str
    resource: str
    reason: str


@dataclass(frozen=True, slots=True)
class ScanResult:
    """The result of a scan.

    Attributes:
        passed: the checks that passed.
        failed: the checks that failed.
        skipped: failed checks for which the resource's block has a skip comment.
        parsing_errors: files that checkov could not parse.
        resources: addresses of all scanned resources.
        unread: files that terraform reads but checkov does not.
        unneeded: skip comments for passing checks, as ``file:line: check id``.

    """

    passed: tuple[CheckRecord, ...]
    failed: tuple[CheckRecord, ...]
    skipped: tuple[CheckRecord, ...]
    parsing_errors: tuple[str, ...]
    resources: frozenset[str]
    unread: tuple[str, ...] = ()
    unneeded: tuple[str, ...] = ()


def find_checkov(environ: Mapping[str, str]) -> Checkov:
    """Find checkov by ``GEN_INFRA_CHECKOV``, on PATH, or beside the running Python.

    Raises:
        MissingError: it is not installed, or not in a virtual environment.

    """
    named = environ.get("GEN_INFRA_CHECKOV")
    beside = str(Path(sys.executable).parent)
    path = shutil.which(named or "checkov", path=environ.get("PATH")) or shutil.which(named or "checkov", path=beside)
    if path is None:
        raise MissingError(f"{named or 'checkov'} was not found", hint=f"run {_INSTALL}")
    home = Path(path).resolve().parent  # follows the link of pipx or a package manager
    for name in ("python3", "python"):
        if os.access(home / name, os.X_OK):
            return Checkov(str(home / name))
    raise MissingError(f"{path} is not installed in a Python virtual environment", hint=f"run {_INSTALL}")


def scan_hcl(checkov: Checkov, folder: Path, environ: Mapping[str, str]) -> ScanResult:
    """Scan the ``*.tf`` files of a folder and its subfolders."""
    (result,) = scan_hcl_folders(checkov, [folder], environ)
    return result


def scan_hcl_folders(checkov: Checkov, folders: Sequence[Path], environ: Mapping[str, str]) -> list[ScanResult]:
    """Scan several folders separately in one process, because most of checkov's time is its start."""
    with tempfile.TemporaryDirectory(prefix="gen-infra-checkov-") as name:
        scratch = Path(name).resolve()
        copies = [scratch / f"hcl-{number}" for number in range(len(folders))]
        sources = [_sources(folder) for folder in folders]
        for copy, texts in zip(copies, sources, strict=True):
            for path, text in texts.items():
                (copy / path).parent.mkdir(parents=True, exist_ok=True)
                (copy / path).write_text(without_skips(text), encoding="utf-8")
        answers = _run(checkov, {"hcl": list(map(str, copies))}, scratch, environ)
    return [
        _of_hcl(answer, texts, folder, copy)
        for answer, texts, folder, copy in zip(answers, sources, folders, copies, strict=True)
    ]


class ScannedPlan(NamedTuple):
    """A plan to scan.

    Attributes:
        content: the JSON of ``terraform show -json``.
        folder: the configuration that it was made from, for its skip comments.
        places: where each resource is, by its address without indexes.

    """

    content: Mapping[str, Any]
    folder: Path
    places: Mapping[str, BlockPlace]


def scan_plans(checkov: Checkov, plans: Sequence[ScannedPlan], environ: Mapping[str, str]) -> list[ScanResult]:
    """Scan several plans, each on its own, in one process.

    Args:
        checkov: from `find_checkov`.
        plans: what to scan.
        environ: the caller's environment.

    """
    with tempfile.TemporaryDirectory(prefix="gen-infra-checkov-") as name:
        scratch = Path(name).resolve()
        files = [scratch / f"plan-{number}.json" for number in range(len(plans))]
        for file, plan in zip(files, plans, strict=True):
            file.write_text(json.dumps(plan.content), encoding="utf-8")
        answers = _run(checkov, {"plan": list(map(str, files))}, scratch, environ)
    return [
        _result(answer, _skips(_sources(plan.folder)), plan.places) for answer, plan in zip(answers, plans, strict=True)
    ]


def doubts(result: ScanResult, *, expected: frozenset[str], allowed: Sequence[CheckovSuppression]) -> tuple[str, ...]:
    """Return the reasons not to trust a scan in which nothing failed; empty if it can be trusted.

    Args:
        result: the scan.
        expected: addresses of all resources that must have been scanned; an address without an index means at least
            one instance.
        allowed: the allowed skips.

    """
    seen = result.resources | {bare(address) for address in result.resources}
    return (
        *(f"{file} cannot be parsed, so nothing in it was checked" for file in result.parsing_errors),
        *(f"{file} is not checked: checkov does not read such files" for file in result.unread),
        *(f"{address} was not checked" for address in sorted(expected - seen)),
        *(
            f"{record.check_id} is skipped for {record.resource}, which is not allowed"
            for record in result.skipped
            if reason_of(record, allowed) is None
        ),
        *(f"{comment} is skipped but passes: remove the comment" for comment in result.unneeded),
    )


@dataclass(frozen=True, slots=True)
class SkipComment:
    """One check id in a skip comment."""

    check_id: str
    file: str
    line: int

    def covers(self, record: CheckRecord) -> bool:
        """Return whether the comment is for this check, and inside the resource's own block."""
        first, last = record.lines
        return (self.check_id, self.file) == (record.check_id, record.file) and first <= self.line <= last


def skip_comments(file: str, text: str) -> list[SkipComment]:
    """Find the skip comments of a file, wherever they are."""
    return [
        SkipComment(check_id, file, number)
        for number, line in enumerate(text.splitlines(), start=1)
        for skip in _SKIP.finditer(line)
        for check_id in filter(None, skip[3].split(","))
    ]


def without_skips(text: str) -> str:
    """Disable every skip comment without changing lines or columns."""
    return _SKIP.sub(r"\1-skip=\2\3", text)


def reason_of(record: CheckRecord, allowed: Iterable[CheckovSuppression]) -> str | None:
    """Return why a check is skipped for its resource: of the first suppression that allows it; None if none does."""
    for each in allowed:
        if each.check_id == record.check_id and fnmatchcase(record.resource, each.resource):
            return each.reason
    return None


def _sources(folder: Path) -> dict[str, str]:
    return {
        path: (folder / path).read_text(encoding="utf-8", errors="replace")
        for path in _files(folder)
        if path.endswith(".tf")
    }


def _unread(folder: Path) -> Iterator[str]:
    return (
        path
        for path in _files(folder)
        if path.endswith(_UNREAD) or os.path.basename(path) in _UNREAD_NAMES  # noqa: PTH119
    )


def _files(folder: Path) -> Iterator[str]:
    """Yield the files that terraform could read, relative to the folder and sorted, without ``.terraform``."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != ".terraform")
        for name in sorted(files):
            yield os.path.relpath(os.path.join(root, name), folder)  # noqa: PTH118 - faster, there may be thousands


def _run(
    checkov: Checkov, request: Mapping[str, Sequence[str]], scratch: Path, environ: Mapping[str, str]
) -> list[dict[str, Any]]:
    env = {
        "PATH": environ.get("PATH", os.defpath),
        "HOME": str(scratch),
        "CHECKOV_PARALLELIZATION_TYPE": "none",  # parallel runs are slower and change the order of findings
    }
    answer = process.run([checkov.python, str(_DRIVER)], cwd=scratch, env=env, input=json.dumps(request))
    if answer.returncode != 0:
        *_, reason = ["no error message", *answer.stderr.splitlines()]
        raise ToolError(f"checkov failed: {reason}", hint=f"use a tested version: {_INSTALL}==3.3.30")
    content: list[dict[str, Any]] = json.loads(answer.stdout)
    return content


def _of_hcl(answer: Mapping[str, Any], sources: Mapping[str, str], folder: Path, copy: Path) -> ScanResult:
    skips = _skips(sources)
    result = _result(answer, skips)
    return replace(
        result,
        parsing_errors=tuple(os.path.relpath(path, copy) for path in answer["parsing_errors"]),
        unread=tuple(_unread(folder)),
        unneeded=_unneeded(skips, result),
    )


def _skips(sources: Mapping[str, str]) -> list[SkipComment]:
    return [skip for path, text in sources.items() for skip in skip_comments(path, text)]


def _result(
    answer: Mapping[str, Any], skips: Sequence[SkipComment], places: Mapping[str, BlockPlace] | None = None
) -> ScanResult:
    passed, failed, skipped = (_records(answer[key], places) for key in ("passed", "failed", "skipped"))
    is_skipped = [any(skip.covers(record) for skip in skips) for record in failed]
    return ScanResult(
        passed=passed,
        failed=tuple(record for record, skip in zip(failed, is_skipped, strict=True) if not skip),
        skipped=skipped + tuple(record for record, skip in zip(failed, is_skipped, strict=True) if skip),
        parsing_errors=tuple(answer["parsing_errors"]),
        resources=frozenset(answer["resources"]),
    )


def _records(raw: Iterable[Mapping[str, Any]], places: Mapping[str, BlockPlace] | None) -> tuple[CheckRecord, ...]:
    records = (CheckRecord(**{**record, "lines": tuple(record["lines"])}) for record in raw)
    if places is not None:
        records = (_placed(record, places) for record in records)
    return tuple(sorted(records, key=lambda record: (record.resource, record.check_id)))


def _placed(record: CheckRecord, places: Mapping[str, BlockPlace]) -> CheckRecord:
    file, lines = places.get(bare(record.resource), ("", (0, 0)))
    return replace(record, file=file, lines=lines)


def _unneeded(skips: Iterable[SkipComment], result: ScanResult) -> tuple[str, ...]:
    """List the skip comments whose check passes for every resource of the block."""
    return tuple(
        f"{skip.file}:{skip.line}: {skip.check_id}"
        for skip in skips
        if any(map(skip.covers, result.passed)) and not any(map(skip.covers, result.skipped))
    )
