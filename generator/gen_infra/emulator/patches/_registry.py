"""How a difference between moto and AWS is written down and mended."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    Mend = Callable[[], None]
    Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class Difference:
    """One thing that moto does otherwise than AWS.

    Args:
        name: the name of the function that mends it.
        moto: the moto version it was written against and what that does.
        aws: what AWS does.
        mend: changes moto's classes in place; called once, before the first request.
    """

    name: str
    moto: str
    aws: str
    mend: Mend


REGISTRY: dict[str, Difference] = {}


def difference(*, moto: str, aws: str) -> Callable[[Mend], Mend]:
    """Decorator: this function mends that difference."""

    def register(mend: Mend) -> Mend:
        name = mend.__name__
        REGISTRY[name] = Difference(name, moto, aws, mend)
        return mend

    return register


def around(owner: type, name: str) -> Callable[[Method], Method]:
    """Decorator: put this function in the place of the method ``name``; its first argument is the original."""
    original = getattr(owner, name)

    def install(function: Method) -> Method:
        @functools.wraps(original)
        def method(*args: Any, **kwargs: Any) -> Any:
            return function(original, *args, **kwargs)

        setattr(owner, name, method)
        return function

    return install


def instead_of(owner: type, name: str) -> Callable[[Method], Method]:
    """Decorator: put this function in the place of the method ``name``, or make it a new one."""

    def install(function: Method) -> Method:
        setattr(owner, name, function)
        return function

    return install
