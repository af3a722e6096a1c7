"""Validate configurations with terraform, and plan them where AWS can be reached."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.aws.tags import COST_TAG, ENVIRONMENT_TAG
from gen_infra.check.report import Check, Finding
from gen_infra.errors import MissingError, UsageError
from gen_infra.render.files import imports_file
from gen_infra.render.imports import import_ids
from gen_infra.render.writer import lay_out
from gen_infra.terraform.adapter import Diagnostic, Terraform, TerraformError
from gen_infra.tools.versions import LOCK_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gen_infra.environment import Environment
    from gen_infra.terraform.plan import PlanContent
    from gen_infra.tools.process import Progress

_PROVIDERS = "providers.tf"
_NAMED = re.compile(rf'^( *"(?:{COST_TAG}|{ENVIRONMENT_TAG})" *= *)"[^"]*"$'.encode(), re.MULTILINE)
_SIDE_BY_SIDE = 2  # terraform and its provider need nearly a gigabyte


class Validated(NamedTuple):
    """What is said about the lock file, if there is one, and by terraform validate; the plan, or why there is none."""

    verdicts: tuple[Check, ...]
    plan: PlanContent | None
    reason: str = ""


def validate_and_plan(environments: Sequence[Environment], folder: Path, progress: Progress) -> list[Validated]:
    """Validate a copy of each configuration, and plan it from an empty state.

    Several configurations are validated by one terraform, as the modules of one root: most of the time is spent on
    starting the provider and reading its schema. If that finds an error, each is validated on its own.
    """
    folders = [folder / str(number) for number in range(len(environments))]
    progress("terraform validates")
    if len(environments) == 1:
        return [_validate_and_plan(environments[0], folders[0], progress)]
    verdicts = _validate_together(environments, folder / "together")
    if verdicts is not None and isinstance(missing := _account_problem(environments[0]), MissingError):
        return [Validated(each, None, f"{missing.message}; {missing.hint}") for each in verdicts]  # the same for all

    def finish(number: int) -> Validated:
        known = verdicts[number] if verdicts is not None else None
        return _validate_and_plan(environments[number], folders[number], progress, known, is_one_of_several=True)

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        return list(pool.map(finish, range(len(environments))))


def _sources(environment: Environment) -> dict[str, bytes]:
    """Return the files below ``terraform/``, without the backend: plans start from an empty state."""
    prefix, backend = "terraform/", "terraform/backend.tf"
    return {
        path.removeprefix(prefix): content
        for path, content in environment.files.items()
        if path.startswith(prefix) and path != backend
    }


def _validate_together(environments: Sequence[Environment], folder: Path) -> list[tuple[Check, ...]] | None:
    """Validate configurations as modules of one root; None if anything is wrong with any of them.

    Configurations with the same provider blocks, but for the environment's name in its tags, are in a group module that
    has the blocks for them: terraform starts a provider for each block. One error is found only in a root, by a plan or
    in a check of one environment: an output with a sensitive value.
    """
    lock_file, *other_lock_files = {each.lock_file.content if each.lock_file else None for each in environments}
    if other_lock_files:
        return None
    groups: dict[bytes, str] = {}
    providers: dict[str, bytes] = {}
    calls: dict[str, str] = defaultdict(str)
    places = []
    for number, environment in enumerate(environments):
        sources = _sources(environment)
        provider = sources.pop(_PROVIDERS, b"")
        group, module = groups.setdefault(_NAMED.sub(rb"\1", provider), f"g{len(groups)}"), f"e{number}"
        providers.setdefault(f"{group}/{_PROVIDERS}", provider)
        lay_out(sources, folder / module)
        if f"{group}/main.tf" not in calls:
            calls["main.tf"] += _module_call(group, f"./{group}")
        calls[f"{group}/main.tf"] += _module_call(module, f"../{module}")
        places.append((group, module))
    lay_out({**providers, **{path: text.encode() for path, text in calls.items()}}, folder)
    if lock_file:
        lay_out({LOCK_FILE: lock_file}, folder)
    terraform = Terraform(environments[0].terraform_binary, folder, os.environ)
    try:
        locked = _init(terraform, environments[0])
    except TerraformError:
        return None  # the init of the invalid configuration says what is wrong
    if any(each.failed for each in locked):
        return None
    validation = terraform.validate()
    if not validation.valid:
        return None
    return [
        (*locked, _verdict([_alone(each, *place) for each in validation.diagnostics if each.file.startswith(place)]))
        for place in [(f"{group}/", f"{module}/") for group, module in places]
    ]


def _module_call(name: str, source: str) -> str:
    return f'module "{name}" {{\n  source = "{source}"\n}}\n'


def _alone(diagnostic: Diagnostic, group: str, module: str) -> Diagnostic:
    """Return a diagnostic as terraform gives it for the configuration on its own."""
    return replace(
        diagnostic,
        file=diagnostic.file.removeprefix(group).removeprefix(module),
        address=diagnostic.address.removeprefix(f"module.{group[:-1]}.").removeprefix(f"module.{module[:-1]}."),
    )


def _init(terraform: Terraform, environment: Environment) -> tuple[Check, ...]:
    """Initialize a copy; return the verdict on its lock file, if there is one. One that does not match is removed."""
    lock_file, plugin_dir = environment.lock_file, environment.plugin_dir
    if lock_file is None:
        terraform.init(plugin_dir=plugin_dir)
        return ()
    summary = LOCK_FILE
    try:
        summary = f"hashicorp/aws {lock_file.version(terraform.binary.flavour, environment.manifest.provider)}"
        terraform.init(plugin_dir=plugin_dir, keep_lock_file=True)
    except (UsageError, TerraformError) as error:
        if isinstance(error, TerraformError) and error.cause != "lock-file":
            raise
        problem = error
    else:
        return (Check("lock file", summary),)
    (terraform.folder / LOCK_FILE).unlink()
    terraform.init(plugin_dir=plugin_dir)
    finding = Finding("failed", f"{problem.message}; {problem.hint}", file=f"terraform/{LOCK_FILE}")
    return (Check("lock file", summary, (finding,)),)


def _validate_and_plan(
    environment: Environment,
    folder: Path,
    progress: Progress,
    known: tuple[Check, ...] | None = None,
    *,
    is_one_of_several: bool = False,
) -> Validated:
    """Validate a configuration, unless its verdict is known, and plan it."""
    sources = _sources(environment)
    if imports := import_ids(environment.manifest):  # those too that an apply has imported: there is no state here
        sources["imports.tf"] = imports_file(imports)
    lay_out(sources, folder)
    terraform = Terraform(environment.terraform_binary, folder, os.environ)
    if known is None:
        locked = _init(terraform, environment)
        validation = terraform.validate()
        verdicts = (*locked, _verdict(validation.diagnostics))
        if not validation.valid:
            return Validated(verdicts, None, "the configuration is not valid")
    else:
        verdicts = known
    problem = _account_problem(environment)
    if isinstance(problem, MissingError):
        return Validated(verdicts, None, f"{problem.message}; {problem.hint}")
    if problem and is_one_of_several:  # one process has the credentials for one account
        return Validated(verdicts, None, problem.message)
    if problem:
        raise problem
    environment.require_image_parameters()
    if known is not None:
        _init(terraform, environment)
    progress(f"terraform plans {environment.manifest.name}" if is_one_of_several else "terraform plans")
    terraform.plan(folder / "tfplan")
    return Validated(verdicts, terraform.show_plan(folder / "tfplan"))


def _account_problem(environment: Environment) -> MissingError | UsageError | None:
    try:
        environment.require_account()
    except (MissingError, UsageError) as problem:
        return problem
    return None


def _verdict(diagnostics: Sequence[Diagnostic]) -> Check:
    return Check("terraform validate", "the whole configuration", tuple(map(_finding, diagnostics)))


def _finding(diagnostic: Diagnostic) -> Finding:
    where = f"{diagnostic.file}:{diagnostic.line}" if diagnostic.file else diagnostic.address
    return Finding(
        "failed" if diagnostic.severity == "error" else "skipped",
        f"{diagnostic.summary}: {diagnostic.detail}",
        where,
        address=diagnostic.address,
        file=f"terraform/{diagnostic.file}" if diagnostic.file else "",
        line=diagnostic.line,
    )
