"""What every service shares: unknown actions."""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse

from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch


class UnknownOperationError(ServiceException):
    """An action that moto does not know; moto writes it in the protocol of the service that was asked."""

    code = "UnknownOperationException"


@moto_patch(
    moto="5.2.5 answers an action it does not know with status 500, which clients retry, terraform's provider 25 times",
    aws="400 and UnknownOperationException: final",
)
def unknown_action() -> None:
    """Turn moto's NotImplementedError into an answer in the service's own protocol."""

    @around(BaseResponse, "call_action")
    def call_action(original: Any, response: BaseResponse) -> Any:
        try:
            return original(response)
        except NotImplementedError as error:
            status, headers, body = response.serialized(ActionResult(UnknownOperationError(str(error))))
            return status, headers | {"status": str(status)}, body


PATCHES: tuple[MotoPatch, ...] = (unknown_action,)
