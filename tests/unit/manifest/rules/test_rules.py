"""The lists of the rules between values of a manifest."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from gen_infra.manifest import rules


def test_every_rule_is_listed_once() -> None:
    modules = [
        importlib.import_module(each.name) for each in pkgutil.iter_modules(rules.__path__, rules.__name__ + ".")
    ]
    written = [
        function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and inspect.signature(function).return_annotation == "Iterable[ManifestFinding]"
    ]
    listed = [*rules.ERRORS, *rules.WARNINGS]

    assert len(set(listed)) == len(listed)
    assert set(listed) == set(written)
