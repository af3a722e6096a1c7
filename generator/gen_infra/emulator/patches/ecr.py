"""ECR: when an image was pushed."""

from __future__ import annotations

import time
from typing import Any

from moto.ecr.models import Image

from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch


@moto_patch(
    moto="5.2.5 gives the time of a push in whole seconds",
    aws="gives it in milliseconds, so that images of one second have an order",
)
def push_time() -> None:
    """Set the time again after moto has rounded it."""

    @around(Image, "__init__")
    def set_push_time(original: Any, image: Image, *args: Any, **kwargs: Any) -> None:
        original(image, *args, **kwargs)
        setattr(image, "image_pushed_at", round(time.time(), 3))  # noqa: B010 - moto declares an integer


PATCHES: tuple[MotoPatch, ...] = (push_time,)
