"""Write rendered files to a folder, all or nothing where possible, and never over files that gen-infra did not write.

``<root>/.gen-infra.json`` records the SHA-256 of every file written. A file with the recorded content is ours: it is
replaced and, when it is no longer rendered, removed. Any other file is kept and reported, unless ``force`` is set.

The steps of a write: lock, compare everything, write every new file and both records beside the old ones, then only
rename and remove. The first record lists the old and the new content, so that after an interruption at any point the
next run recognises every file and finishes. Files are not flushed to the disk: after a power cut, render with
``--force``.
"""

from __future__ import annotations

import errno
import io
import json
import re
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.errors import GenInfraError, UsageError
from gen_infra.render.folder import Folder, ObstacleError
from gen_infra.tools.versions import LOCK_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

RECORD = ".gen-infra.json"
_FORMAT = 1
_INTENT, _DONE = ".gen-infra.intent", ".gen-infra.done"  # keys of the two staged records; not paths of rendered files

# Names of files that Terraform, OpenTofu, Packer or checkov load automatically.
# https://developer.hashicorp.com/terraform/language/files, .../language/values/variables, .../packer/docs/templates
_ACTIVE = re.compile(
    r"""(?!\.).+\.(tf|tofu)(\.json)?
    | terraform\.tfvars(\.json)? | .*\.auto\.tfvars(\.json)?
    | .+\.pkr\.(hcl|json) | .*\.auto\.pkrvars\.(hcl|json)
    | \.checkov\.ya?ml""",
    re.VERBOSE | re.DOTALL,
)
# Terraform writes this file too, so that one that gen-infra did not write holds nothing of anyone else's.
_SHARED_WITH_TERRAFORM = f"terraform/{LOCK_FILE}"
_PATH = re.compile(r"(?!\.\.?(/|\Z))[^/\\\0]+(/(?!\.\.?(/|\Z))[^/\\\0]+)*")

_HINTS = {
    (errno.ENOSPC, errno.EDQUOT, errno.EFBIG): "free some space, or choose another folder with --out",
    (errno.EROFS, errno.EACCES, errno.EPERM): "make it writable, or choose another folder with --out",
    (
        errno.ENOTDIR,
        errno.EEXIST,
    ): "move the file that is where a folder is needed, or choose another folder with --out",
}


class Written(NamedTuple):
    """The result of a write, as sorted paths below the root."""

    created: tuple[str, ...]
    updated: tuple[str, ...]
    unchanged: tuple[str, ...]
    pruned: tuple[str, ...]


def lay_out(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files into a folder that the caller owns, such as a temporary one, without a record or checks."""
    for parent in {(folder / name).parent for name in files}:
        parent.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def write(files: Mapping[str, bytes], root: Path, *, force: bool = False) -> Written:
    """Write these files (relative ``/``-separated path -> content) into the folder, and remove older ones of ours.

    Keeps files that already have their content. ``*.sh`` become executable. ``force`` replaces files that were changed
    or added by anything but gen-infra, but not symbolic links. Files that the tools would load as well (``extra.tf``,
    ``terraform.tfvars``) are an error even with ``force``: gen-infra never removes what it did not write.

    Raises UsageError, with every file in the way, before any change; and GenInfraError if another run is writing to the
    folder or the system reports an error, with what was done until then.
    """
    _check_paths(files)
    with _explained("write", root):
        root.mkdir(parents=True, exist_ok=True)
        with Folder(root) as folder, folder.lock():
            record = _read_record(folder)
            survey = _survey(folder, files, record)
            _refuse(survey, root, force=force)
            written = _written(files, survey)
            if written.created or written.updated or record != _Record(_hashes(files)):
                _commit(folder, files, survey, written)
            return written


def diff(files: Mapping[str, bytes], root: Path) -> str:
    """Return what :func:`write` would change, as a unified diff, and what it would refuse; empty if neither.

    Raises GenInfraError if something cannot be read.
    """
    _check_paths(files)
    if not root.exists():
        return "".join(_file_diff(path, None, content) for path, content in sorted(files.items()))
    with _explained("read", root), Folder(root) as folder:
        survey = _survey(folder, files, _read_record(folder))
    diffs = [_file_diff(path, found, files.get(path)) for path, found in sorted(survey.found.items())]
    return "".join([*diffs, *(f"{root}: {problem}\n" for problem in survey.immovable)])


def digest(files: Mapping[str, bytes]) -> str:
    """Return one SHA-256 of all paths and contents, in hexadecimal."""
    return _sha256(_Record(_hashes(files)).text())


def read_back(root: Path) -> dict[str, bytes]:
    """Read the files of the last write, unchanged and without other files that the tools would load.

    Raises UsageError if there are such files or changes, or if there are no files.
    """
    hint = "render it again"
    if not root.is_dir():
        raise UsageError(f"{root} does not exist", hint=hint)
    with _explained("read", root), Folder(root) as folder:
        record = _read_record(folder)
        survey = _survey(folder, {}, record)
    if not record.files or record.pending:
        raise UsageError(f"{root} does not contain a complete rendered environment", hint=hint)
    found = {path: content for path, content in survey.found.items() if content is not None}
    missing = [f"{path} (missing)" for path in survey.found.keys() - found]
    if problems := {*missing, *survey.changed, *survey.immovable}:
        raise UsageError(f"{root} was changed since it was rendered:{_listing(problems)}", hint=hint)
    return found


class _Record(NamedTuple):
    """Our files: path -> SHA-256 of the last write's content, and of the content that a write is about to leave."""

    files: Mapping[str, str]
    pending: Mapping[str, str] = {}
    is_readable: bool = True

    def is_ours(self, path: str, content: bytes) -> bool:
        return _sha256(content) in {self.files.get(path), self.pending.get(path)}

    def text(self) -> bytes:
        fields = {"format": _FORMAT, "files": self.files} | ({"pending": self.pending} if self.pending else {})
        return json.dumps(fields, indent=2, sort_keys=True).encode() + b"\n"


class _Survey(NamedTuple):
    """The content of the folder, compared with what is rendered and what is recorded."""

    found: dict[str, bytes | None]  # every path rendered or recorded -> its content now
    changed: list[str]  # files changed or added by anything but gen-infra: force replaces or removes them
    immovable: list[str]  # links and the like in the way, and other files that the tools would load


def _survey(folder: Folder, files: Mapping[str, bytes], record: _Record) -> _Survey:
    survey = _Survey({}, [], [])
    if not record.is_readable:
        survey.changed.append(f"{RECORD} (not a record of gen-infra)")
    known = {**record.files, **record.pending}
    for path in {**files, **known}:
        survey.found[path] = None
        with _explained("read", folder.root / path):
            try:
                found = survey.found[path] = folder.read(path)
            except ObstacleError as obstacle:
                survey.immovable.append(str(obstacle))
                continue
        is_other = found is not None and found != files.get(path) and not record.is_ours(path, found)
        if is_other and path != _SHARED_WITH_TERRAFORM:
            survey.changed.append(f"{path} ({'changed since it was rendered' if path in known else 'not rendered'})")
    survey.immovable.extend(f"{path} (would be loaded too)" for path in _active_files(folder, survey.found))
    return survey


def _active_files(folder: Folder, ours: Mapping[str, object]) -> list[str]:
    """Find other files that the tools load by their name, in the folders of our files."""
    parents = {parent for path in ours for parent in _parents(path)}
    active = []
    for parent in sorted(parents | {""}):
        prefix = f"{parent}/" if parent else ""
        with suppress(ObstacleError):  # already reported, as the obstacle to one of our files
            active += [f"{prefix}{name}" for name in folder.names(parent) if _ACTIVE.fullmatch(name)]
    return [path for path in active if path not in ours]


def _parents(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _refuse(survey: _Survey, root: Path, *, force: bool) -> None:
    problems = survey.immovable if force else [*survey.changed, *survey.immovable]
    if problems:
        hint = "move them elsewhere to keep them, or overwrite them with --force"
        if survey.immovable:
            hint = "move or delete them: gen-infra never removes what it did not write"
        raise UsageError(f"{root} contains files that gen-infra did not write:{_listing(problems)}", hint=hint)


def _written(files: Mapping[str, bytes], survey: _Survey) -> Written:
    there = {path: content for path, content in survey.found.items() if content is not None}
    unchanged = {path for path, content in there.items() if content == files.get(path)}
    created, updated = files.keys() - there.keys(), (files.keys() & there.keys()) - unchanged
    pruned = there.keys() - files.keys()
    return Written(*(tuple(sorted(paths)) for paths in (created, updated, unchanged, pruned)))


def _commit(folder: Folder, files: Mapping[str, bytes], survey: _Survey, written: Written) -> None:
    before = _hashes({path: content for path, content in survey.found.items() if content is not None})
    after = _hashes(files)
    new = (*written.created, *written.updated)
    with folder.staging() as staging:
        for path in new:
            with _explained("write", folder.root / path):
                folder.make_parents(path)
                staging.put(path, files[path], executable=path.endswith(".sh"))
        staging.put(_INTENT, _Record(before, after).text())
        staging.put(_DONE, _Record(after).text())

        outcome = "some files may be new: run the same command again to finish"
        with _explained("write", folder.root / RECORD, outcome):
            staging.move(_INTENT, RECORD)
        for path in new:
            with _explained("write", folder.root / path, outcome):
                staging.move(path, path)
        for path in written.pruned:
            with _explained("remove", folder.root / path, outcome):
                folder.remove(path)
        with _explained("write", folder.root / RECORD, outcome):
            staging.move(_DONE, RECORD)


def _read_record(folder: Folder) -> _Record:
    content = folder.read(RECORD)
    if content is None:
        return _Record({})
    try:
        fields = json.loads(content)
        record = _Record(dict(fields["files"]), dict(fields.get("pending", {})))
        _check_paths({**record.files, **record.pending})  # a forged record must not reach outside
    except (ValueError, TypeError, LookupError, AttributeError):
        return _Record({}, is_readable=False)
    return record if fields.get("format") == _FORMAT else _Record({}, is_readable=False)


def _check_paths(paths: Iterable[str]) -> None:
    for path in paths:
        if not _PATH.fullmatch(path) or path.startswith(".gen-infra"):
            raise ValueError(f"invalid path for a rendered file: {path!r}")


def _hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: _sha256(content) for path, content in files.items()}


def _sha256(content: bytes) -> str:
    return sha256(content).hexdigest()


def _listing(problems: Iterable[str]) -> str:
    return "".join(f"\n  {problem}" for problem in sorted(problems))


def _file_diff(path: str, before: bytes | None, after: bytes | None) -> str:
    if before == after:
        return ""
    import difflib

    old, new = ("/dev/null" if content is None else f"{side}/{path}" for side, content in (("a", before), ("b", after)))
    try:
        old_lines, new_lines = (io.StringIO((content or b"").decode()).readlines() for content in (before, after))
    except UnicodeDecodeError:
        return f"Binary files {old} and {new} differ\n"
    diffs = difflib.unified_diff(old_lines, new_lines, old, new)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in diffs)


@contextmanager
def _explained(action: str, path: Path, outcome: str = "nothing was changed") -> Iterator[None]:
    """Turn a system error into one sentence: the action, the path, the reason, the outcome, and a hint."""
    try:
        yield
    except ObstacleError as obstacle:
        raise UsageError(f"cannot {action} {path}: {obstacle}; {outcome}", hint="move or delete it") from obstacle
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise UsageError(f"cannot {action} {path}: {error.strerror}", hint="choose a shorter name") from error
        hint = next((hint for codes, hint in _HINTS.items() if error.errno in codes), "")
        raise GenInfraError(f"cannot {action} {path}: {error.strerror}; {outcome}", hint=hint) from error
