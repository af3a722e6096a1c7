"""How a difference between moto and AWS is described and patched."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    Patch = Callable[[], None]
    Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class MotoPatch:
    """One thing that moto does differently from AWS, and the function that fixes it.

    Args:
        name: the name of that function.
        moto: the moto version that the patch was written against, and what that version does.
        aws: what AWS does.
        patch: changes moto's classes in place; called once, before the first request.
    """

    name: str
    moto: str
    aws: str
    patch: Patch


def moto_patch(*, moto: str, aws: str) -> Callable[[Patch], MotoPatch]:
    """Make the decorated function the patch of that difference; its module lists it in ``PATCHES``."""

    def make(patch: Patch) -> MotoPatch:
        return MotoPatch(patch.__name__, moto, aws, patch)

    return make


def around(owner: type, name: str) -> Callable[[Method], Method]:
    """Replace the method ``name`` by the decorated function, whose first argument is the original method."""
    original = getattr(owner, name)

    def install(function: Method) -> Method:
        @functools.wraps(original)
        def method(*args: Any, **kwargs: Any) -> Any:
            return function(original, *args, **kwargs)

        setattr(owner, name, method)
        return function

    return install


def instead_of(owner: type, name: str) -> Callable[[Method], Method]:
    """Replace the method ``name`` by the decorated function, or add it if there is none."""

    def install(function: Method) -> Method:
        setattr(owner, name, function)
        return function

    return install
