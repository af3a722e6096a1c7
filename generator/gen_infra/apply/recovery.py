"""Recovers from runs that were killed or interrupted: what they left in AWS is not in Terraform's state.

What has a fixed name makes the next apply fail; its error then says how to import it. What has a generated name does
not: the next apply creates another one, and reports the first as an orphan.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gen_infra.apply.orphans import find_orphans
from gen_infra.terraform.import_hints import import_hint
from gen_infra.terraform.messages import TerraformError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.apply.orphans import Orphan
    from gen_infra.environment import Environment


@contextmanager
def with_import_hints(environment: Environment) -> Iterator[None]:
    """Add the import commands to the error of an apply that failed because something exists already."""
    try:
        yield
    except TerraformError as error:
        if error.cause == "exists":
            manifest = environment.manifest
            place = {
                "partition": manifest.partition,
                "domain": manifest.dns_suffix,
                "region": manifest.region,
                "account": manifest.account,
            }
            commands = import_hint(error.diagnostics, environment.terraform().typed, place)
            error.hint = f"if an interrupted run created it, import it, then run the same command again: {commands}"
        raise


def orphans(environment: Environment) -> tuple[Orphan, ...]:
    """Find what is named as the environment's own, and is not in the state."""
    manifest = environment.manifest
    known = set(_texts(environment.terraform().state_pull()))
    keys = [*manifest.compute, *manifest.queues, *manifest.jobs]
    return tuple(find_orphans(known, environment.clients, manifest.name, keys, manifest.repositories))


def _texts(value: Any) -> Iterator[str]:
    """Yield every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
