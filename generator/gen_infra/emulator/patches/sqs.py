"""SQS: the format of a redrive policy."""

from __future__ import annotations

import json
from typing import Any

from moto.sqs.models import Queue

from gen_infra.emulator.patches.moto_patch import MotoPatch, moto_patch


@moto_patch(
    moto="5.2.5 writes RedrivePolicy with a space after each comma and colon",
    aws="writes it without spaces, and terraform's provider waits for that",
)
def compact_redrive_policy() -> None:
    """Format the attribute again after moto has collected all of them."""
    original: Any = vars(Queue)["attributes"].fget

    def attributes(queue: Queue) -> dict[str, Any]:
        values: dict[str, Any] = original(queue)
        if queue.redrive_policy:
            values["RedrivePolicy"] = json.dumps(queue.redrive_policy, separators=(",", ":"))
        return values

    setattr(Queue, "attributes", property(attributes))  # noqa: B010 - a type checker refuses the assignment


PATCHES: tuple[MotoPatch, ...] = (compact_redrive_policy,)
