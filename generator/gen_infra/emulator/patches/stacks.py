"""CloudFormation: stacks and what they own, for `gen-infra adopt`."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

from gen_infra.emulator.patches.moto_patch import MotoPatch, moto_patch

_VALIDATOR = "openapi_spec_validator"


@moto_patch(
    moto="5.2.5 loads API Gateway for CloudFormation, and fails without that one's package openapi-spec-validator",
    aws="creates, lists and deletes stacks",
)
def stacks() -> None:
    """Let API Gateway load without the package; no environment has an API."""
    if importlib.util.find_spec(_VALIDATOR) is None:
        for name in (_VALIDATOR, f"{_VALIDATOR}.validation", f"{_VALIDATOR}.validation.exceptions"):
            sys.modules[name] = package = _NotInstalled(name)
            package.__path__ = []


class _NotInstalled(ModuleType):
    """A package that is not installed: whatever is imported from it is an exception that is never raised."""

    def __getattr__(self, name: str) -> Any:
        return type(name, (Exception,), {})


PATCHES: tuple[MotoPatch, ...] = (stacks,)
