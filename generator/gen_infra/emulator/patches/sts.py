"""STS: the tags of sessions, and the keys of GetSessionToken."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import flask
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.sts.models import STSBackend
from moto.sts.responses import TokenResponse
from moto.sts.utils import random_session_token

from gen_infra.emulator.authorization.callers import SessionKey, session_keys
from gen_infra.emulator.operations import read_operation
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, instead_of, moto_patch

_SECONDS = 43_200  # of a session, unless the caller says otherwise


@moto_patch(
    moto="5.2.5 drops the tags of AssumeRole",
    aws="has them as aws:PrincipalTag in what the session does",
)
def session_tags() -> None:
    """Keep them with the session.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
    """

    @around(TokenResponse, "assume_role")
    def assume_role(original: Any, response: TokenResponse) -> ActionResult:
        answer: ActionResult = original(response)
        tags = {each["Key"]: each.get("Value", "") for each in response._get_param("Tags") or []}
        vars(answer.result["Credentials"])["session_tags"] = tags  # type: ignore[index]
        return answer


class _SessionCredentialsError(ServiceException):
    code, message = "AccessDenied", "Cannot call GetSessionToken with session credentials"


@moto_patch(
    moto="5.2.5 answers every GetSessionToken with the key of AWS's documentation, which it does not know later",
    aws="answers it with a new key of the caller, which may not call IAM",
)
def session_tokens() -> None:
    """Issue a key for the user, and name that user in GetCallerIdentity.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
    """

    @instead_of(TokenResponse, "get_session_token")
    def get_session_token(response: TokenResponse) -> ActionResult:
        asking = read_operation(flask.request.environ).access_key
        if asking.startswith("ASIA"):
            raise _SessionCredentialsError
        expiration = utcnow() + timedelta(seconds=response._get_int_param("DurationSeconds", _SECONDS))
        key = f"ASIA{secrets.token_hex(8).upper()}"
        session_keys(response.backend)[key] = SessionKey(asking, expiration)
        return ActionResult(
            {
                "Credentials": {
                    "AccessKeyId": key,
                    "SecretAccessKey": secrets.token_urlsafe(30),
                    "SessionToken": random_session_token(),
                    "Expiration": expiration,
                }
            }
        )

    @around(STSBackend, "get_caller_identity")
    def get_caller_identity(original: Any, backend: STSBackend, access_key_id: str, region: str) -> Any:
        issued = session_keys(backend).get(access_key_id)
        return original(backend, issued.user_key if issued else access_key_id, region)


PATCHES: tuple[MotoPatch, ...] = (
    session_tags,
    session_tokens,
)
