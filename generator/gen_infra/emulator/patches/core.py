"""All services: unknown actions."""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse

from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch


class UnknownOperationError(ServiceException):
    """An action that moto does not implement; moto writes the error in the service's protocol."""

    code = "UnknownOperationException"


@moto_patch(
    moto="5.2.5 answers an unknown action with status 500, which clients retry, terraform's provider 25 times",
    aws="answers 400 and UnknownOperationException, which is not retried",
)
def unknown_action() -> None:
    """Turn moto's NotImplementedError into an error in the service's protocol."""

    @around(BaseResponse, "call_action")
    def call_action(original: Any, response: BaseResponse) -> Any:
        try:
            return original(response)
        except NotImplementedError as error:
            status, headers, body = response.serialized(ActionResult(UnknownOperationError(str(error))))
            return status, headers | {"status": str(status)}, body


PATCHES: tuple[MotoPatch, ...] = (unknown_action,)
