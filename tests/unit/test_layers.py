"""The package's structure: imports point downwards, modules import each other in no circle, class names are unique."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import gen_infra

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(gen_infra.__file__).parent

# A room is a package or module directly below gen_infra. Each imports only what stands in a row below its own.
LAYERS = (
    ("__main__",),
    ("cli",),
    ("report",),  # shows what all rooms below it find
    ("pipeline",),
    ("adopt", "apply", "drift", "prune", "why"),
    ("doctor",),  # below `why`, which judges what the doctor's checks find
    ("check", "explain", "graph", "image"),
    ("environment",),
    ("emulator", "render", "terraform"),
    ("cost", "permissions"),
    ("manifest",),  # its schema and rules state what the table in `aws` says that AWS refuses
    ("aws", "iam", "tools"),
    ("errors", "resources", "gen_infra"),  # gen_infra itself holds the version
)
# The same inside the manifest: a model, rules on it, and the reading of it.
MANIFEST = ("reading", "rules", "model")


def module_name(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


# What is generated when the package is built, in _data, has no place in the layers.
MODULES = {module_name(file): file for file in sorted(PACKAGE.rglob("*.py")) if "_data" not in file.parts}


@cache
def nodes(module: str) -> tuple[ast.AST, ...]:
    """Return all nodes of a module's syntax tree, the module itself first."""
    return tuple(ast.walk(ast.parse(MODULES[module].read_text())))


@cache
def imports(module: str) -> frozenset[str]:
    """Return the modules of the package that a module imports anywhere: in functions and for type checking too."""
    return frozenset(_imports(module))


def _imports(module: str) -> Iterator[str]:
    for node in nodes(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in MODULES else node.module


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def rank(room_name: str) -> int:
    return next(index for index, row in enumerate(LAYERS) if room_name in row)


def test_every_room_stands_in_one_row() -> None:
    rows = [name for row in LAYERS for name in row]
    assert sorted(rows) == sorted({room(module) for module in MODULES})


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_downwards(module: str) -> None:
    upwards = [
        imported
        for imported in sorted(imports(module))
        if room(imported) != room(module) and rank(room(imported)) <= rank(room(module))
    ]
    assert upwards == []


def test_the_manifests_packages_import_downwards() -> None:
    upwards = [
        f"{module} -> {imported}"
        for module in MODULES
        for imported in imports(module)
        for upper, lower in ((MANIFEST[0], MANIFEST[1]), (MANIFEST[0], MANIFEST[2]), (MANIFEST[1], MANIFEST[2]))
        if module.startswith(f"gen_infra.manifest.{lower}") and imported.startswith(f"gen_infra.manifest.{upper}")
    ]
    assert upwards == []


@pytest.mark.parametrize("depth", [2, 3, 9], ids=["rooms", "packages", "modules"])
def test_no_circle(depth: int) -> None:
    """Raise `graphlib.CycleError` for a circle between the first parts of the modules' names."""
    graph: dict[str, set[str]] = defaultdict(set)
    for module in MODULES:
        here = ".".join(module.split(".")[:depth])
        graph[here] |= {".".join(imported.split(".")[:depth]) for imported in imports(module)} - {here}
    TopologicalSorter(graph).prepare()


def test_only_the_command_line_uses_the_emulator() -> None:
    users = {room(module) for module in MODULES for imported in imports(module) if room(imported) == "emulator"}
    assert users <= {"cli", "emulator"}


def test_no_two_classes_or_types_have_one_name() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for module in MODULES:
        for name in _types(module):
            found[name].append(module)
    assert {name: modules for name, modules in found.items() if len(modules) > 1} == {}


def _types(module: str) -> Iterator[str]:
    """Yield the names of classes, and of the type aliases of a module, which are written in the same way."""
    tree, *others = nodes(module)
    assert isinstance(tree, ast.Module)
    yield from (node.name for node in others if isinstance(node, ast.ClassDef))
    for node in tree.body:
        for inner in node.body if isinstance(node, ast.If) else [node]:
            targets = inner.targets if isinstance(inner, ast.Assign) else []
            for target in [inner.target] if isinstance(inner, ast.AnnAssign) else targets:
                if isinstance(target, ast.Name) and re.fullmatch(r"_?(?:[A-Z][a-z]+)+", target.id):
                    yield target.id
