"""SSM: the list of parameters."""

from __future__ import annotations

from typing import Any

from moto.ssm.models import SimpleSystemManagerBackend

from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch


@moto_patch(
    moto="5.2.5 lists AWS's thousands of public parameters with the account's own, once one of them was read",
    aws="lists only the account's own",
)
def listed_parameters() -> None:
    """Leave out the public parameters."""

    @around(SimpleSystemManagerBackend, "describe_parameters")
    def describe_parameters(original: Any, backend: Any, *args: Any) -> list[Any]:
        return [each for each in original(backend, *args) if not each.name.startswith("/aws/")]


PATCHES: tuple[MotoPatch, ...] = (listed_parameters,)
