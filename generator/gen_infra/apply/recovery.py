"""What a run that was killed or interrupted left in the account, and Terraform's state does not know.

What has a name of its own stands in the way of the next apply, whose error then says how it is adopted. What has a
generated name stands in nobody's way: the next apply makes another one, and names the first.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gen_infra.terraform.messages import TerraformError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.apply.orphans import Orphan
    from gen_infra.pipeline import Environment


@contextmanager
def adopting(environment: Environment) -> Iterator[None]:
    """Let an error about what exists already say how the state gets to know it."""
    try:
        yield
    except TerraformError as error:
        if error.cause == "exists":
            from gen_infra.pipeline import open_terraform
            from gen_infra.terraform.import_hints import adoption

            manifest = environment.manifest
            place = {
                "partition": manifest.partition,
                "domain": manifest.dns_suffix,
                "region": manifest.region,
                "account": manifest.account,
            }
            typed = open_terraform(environment, lambda _: None, init=False).typed
            error.hint = (
                "if an interrupted run made it, let the state know it, then run the same command again: "
                + adoption(error.diagnostics, typed, place)
            )
        raise


def strays(environment: Environment) -> list[Orphan]:
    """What is named as the environment's own, and is not in the state."""
    from gen_infra.apply.orphans import beside
    from gen_infra.aws.session import clients
    from gen_infra.pipeline import open_terraform

    manifest = environment.manifest
    known = set(_texts(open_terraform(environment, lambda _: None, init=False).state_pull()))
    keys = [*manifest.compute, *manifest.queues, *manifest.jobs]
    return beside(known, clients(manifest.region), manifest.name, keys, manifest.repositories)


def _texts(value: Any) -> Iterator[str]:
    """Every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
