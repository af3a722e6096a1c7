"""Load a manifest file, with its parents, as a :class:`~gen_infra.manifest.model.manifest.Manifest`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.errors import UsageError
from gen_infra.manifest import rules
from gen_infra.manifest.model.base import dotted
from gen_infra.manifest.model.manifest import Manifest
from gen_infra.manifest.reading.definitions import read_definitions
from gen_infra.manifest.reading.excerpt import excerpt
from gen_infra.manifest.reading.nodes import Entry, Map, Problem, Scalar, SourceText
from gen_infra.manifest.reading.reader import Unreadable, read
from gen_infra.manifest.reading.scripts import read_host_scripts
from gen_infra.manifest.reading.text import cut
from gen_infra.manifest.reading.validation import place, problems_with_values, validate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen_infra.manifest.rules.rule import ManifestFinding

MAX_PARENTS = 20


class ManifestError(UsageError):
    """All problems of a manifest or policy file, in file order."""

    def __init__(self, name: str, problems: list[Problem], *, what: str = "problem", hint: str = "") -> None:
        count = f"{len(problems)} {what}s" if len(problems) > 1 else f"one {what}"
        self._headline = f"{name} has {count}:"
        super().__init__("\n".join([self._headline, *(f"  {problem}" for problem in problems)]), hint=hint)
        self.problems = problems

    def on_terminal(self) -> str:
        """Return each problem with its line, and a caret below its position."""
        blocks = (f"  {problem}\n{excerpt(problem)}".rstrip() for problem in self.problems)
        return "\n".join([self._headline, *blocks])


class Loaded(NamedTuple):
    """A valid manifest.

    Args:
        manifest: with its parents merged and its defaults filled in.
        warnings: what is accepted and may still be a mistake, in file order.
        nodes: where each value was written.
        sources: the text that was read: the manifest's, then its parent's, and so on, and that of scripts and
            definitions.
    """

    manifest: Manifest
    warnings: tuple[Problem, ...]
    nodes: Map
    sources: tuple[SourceText, ...]


def load(path: Path) -> Manifest:
    """Read a manifest, merge it with its parents, and check it against every rule.

    Raises:
        ManifestError: with every problem at once, each as ``file:line:column: key: what is wrong``.
    """
    return load_with_nodes(path)[0]


def load_with_warnings(path: Path, *, strict: bool = False, image_tags: Sequence[str] = ()) -> Loaded:
    """Load a manifest, and return it with its warnings.

    Args:
        path: the manifest.
        strict: treat warnings as errors.
        image_tags: ``repository=tag`` of the command line, which replace those of the manifest.

    Raises:
        ManifestError: as :func:`load`; with ``strict`` also for warnings.
    """
    sources: list[SourceText] = []
    manifest, root = _load(path, sources, image_tags)
    warnings = place(root, rules.warnings(manifest))
    if warnings and strict:
        raise ManifestError(shown_path(path), warnings, what="warning", hint="fix it, or leave out --strict")
    return Loaded(manifest, tuple(warnings), root, tuple(sources))


def load_with_nodes(path: Path) -> tuple[Manifest, Map]:
    """Load a manifest, and return it with the nodes that hold the position of each value."""
    return _load(path, [])


def _load(path: Path, sources: list[SourceText], image_tags: Sequence[str] = ()) -> tuple[Manifest, Map]:
    """Load a manifest, and add what was read to ``sources``."""
    name = shown_path(path)
    problems: list[Problem] = []
    try:
        root = _read_with_parents(path, name, (), problems, sources)
    except Unreadable as unreadable:
        raise ManifestError(name, [*sorted(problems), unreadable.problem]) from None
    if image_tags:
        root = _merge(root, _from_command_line(image_tags), ())
    problems += read_host_scripts(root, sources)
    problems += read_definitions(root, sources)
    if problems:
        raise ManifestError(name, sorted([*problems, *problems_with_values(root, Manifest)]))
    validated = validate(root, Manifest)
    if isinstance(validated, list):
        raise ManifestError(name, validated)
    complete, findings = _with_heads(validated) if validated.engines else (validated, [*rules.errors(validated)])
    if problems := place(root, findings):
        raise ManifestError(name, problems)
    return complete, root


def _with_heads(manifest: Manifest) -> tuple[Manifest, list[ManifestFinding]]:
    """Return a manifest with the head jobs of its engines, unless these are not valid, and what is wrong with it.

    What is wrong with a head job counts only where nothing else is: it may be a consequence.
    """
    from gen_infra.manifest.engine_heads import replaced_jobs, with_heads
    from gen_infra.manifest.rules import engines

    if any(finding for rule in engines.ERRORS for finding in rule(manifest)):
        return manifest, [*rules.errors(manifest)]
    if replaced := [*replaced_jobs(manifest)]:
        return manifest, [*replaced, *rules.errors(manifest)]
    complete = with_heads(manifest)
    findings = [*rules.errors(complete)]
    heads = {("jobs", key) for key in complete.jobs.keys() - manifest.jobs.keys()}
    return complete, [finding for finding in findings if finding[0][:2] not in heads] or findings


def _from_command_line(image_tags: Sequence[str]) -> Map:
    """Return the mapping that a manifest with these ``image_tags`` would have, at the places of the options."""
    source = SourceText("--image-tag", Path("--image-tag"), "\n".join(image_tags))
    tags = Map(source, (0, 0))
    for line, option in enumerate(image_tags):
        repository, _, tag = option.partition("=")
        tags.entries[repository] = Entry(source, (line, 0), Scalar(tag, source, (line, len(repository) + 1)))
    return Map(source, (0, 0), {"image_tags": Entry(source, (0, 0), tags)})


def _read_with_parents(
    path: Path, shown: str, children: tuple[Path, ...], problems: list[Problem], sources: list[SourceText]
) -> Map:
    """Read the mapping of a file, and merge it over the mapping of its parent."""
    root = read(path, shown, problems)
    sources.append(root.source)
    entry = root.entries.pop("extends", None)
    if entry is None:
        return root
    if not isinstance(entry.node, Scalar) or not isinstance(entry.node.value, str):
        raise _problem(entry, "should be the name of one manifest file in the same folder")
    name, parent = cut(entry.node.value), path.parent / entry.node.value
    try:
        is_link, is_file = parent.is_symlink(), parent.is_file()
    except OSError as error:
        raise _problem(entry, f'cannot read "{name}": {error.strerror}') from None
    if Path(entry.node.value).name != entry.node.value or is_link:
        raise _problem(entry, f'"{name}" should be the name of a file in the same folder')
    if parent in (*children, path):
        loop = " -> ".join(file.name for file in (*children, path, parent))
        raise _problem(entry, f"the manifests extend each other in a loop: {loop}")
    if not is_file:
        raise _problem(entry, f"file not found: {shown_path(parent)}")
    if len(children) >= MAX_PARENTS:
        raise _problem(entry, f"is parent {MAX_PARENTS + 1} of {children[0].name}; {MAX_PARENTS} are allowed")
    return _merge(_read_with_parents(parent, shown_path(parent), (*children, path), problems, sources), root, ())


def _merge(parent: Map, child: Map, path: tuple[str, ...]) -> Map:
    """Merge mappings key by key; other values replace, and an empty value (or ``null``) removes an inherited key."""
    merged = Map(child.source, child.mark, dict(parent.entries))
    for key, entry in child.entries.items():
        inherited = parent.entries.get(key)
        if isinstance(entry.node, Scalar) and entry.node.value is None:
            if inherited is None:
                raise _problem(entry, "has no value, and the parent has no such key to remove", (*path, key))
            del merged.entries[key]
        elif inherited and isinstance(inherited.node, Map) and isinstance(entry.node, Map):
            node = _merge(inherited.node, entry.node, (*path, key))
            merged.entries[key] = Entry(entry.source, entry.mark, node)
        else:
            merged.entries[key] = entry
    return merged


def _problem(entry: Entry, message: str, path: tuple[str, ...] = ("extends",)) -> Unreadable:
    line, column = entry.mark
    return Unreadable(Problem(entry.source.name, line + 1, column + 1, dotted(path), message, entry.source))


def shown_path(path: Path) -> str:
    """Return a path for messages: relative to the working directory, if it is below it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (OSError, RuntimeError, ValueError):  # RuntimeError: a loop of links, which reading it reports
        return os.fspath(path)
