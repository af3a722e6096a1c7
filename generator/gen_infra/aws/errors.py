"""One place that turns what botocore raises into gen-infra's errors, without repeating a secret.

boto3's own text is passed on only where it cannot hold one: the answer to a wrong signature, for example, quotes the
signed headers, session token included.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from gen_infra.errors import AwsError, GenInfraError, MissingError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.exceptions import BotoCoreError, ClientError

# Error codes differ by protocol (query, JSON, REST) and by service for the same thing.
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_REJECTED = {
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_SKEWED = "RequestTimeTooSkewed"
_FOR_ITS_TIME = {
    _SKEWED,
    "AuthFailure",
    "InvalidSignatureException",
    "RequestExpired",
    "RequestInTheFuture",
    "SignatureDoesNotMatch",
}
_OF_OTHER_TIME = re.compile(r"Signature (?:expired|not yet current)")
_SKEW_SECONDS = 240  # AWS accepts five minutes, S3 fifteen
DENIED = frozenset(
    {"403", "AccessDenied", "AccessDeniedException", "AuthorizationError", "Forbidden", "UnauthorizedOperation"}
)
_THROTTLED = {
    "EC2ThrottledException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_CREDENTIALS_HINT = (
    "run `aws configure` or `aws sso login`, set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; "
    "`gen-infra emulator` prints the lines for an AWS without an account"
)
_REFUSAL = re.compile(
    r"(?:User: (?P<user>\S+) is )?not authorized to perform: (?P<action>[\w-]+:\w+)"
    r"(?: on resource: (?P<resource>\S+))?"
)
_ABSENT = re.compile(r"\bjob ?(queue|definition)\b.*\b(not found|does not exist)\b", re.IGNORECASE)
_APPLY_FIRST = "if the environment was not applied yet, run gen-infra apply first"
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class TransientAwsError(AwsError):
    """AWS did not answer, throttled the call or had an internal error: the same call may succeed later."""


class AccessDeniedError(AwsError):
    """The caller may not make this call.

    Args:
        operation: the API operation that was refused, such as ``HeadBucket``.
        action: the permission that AWS says is missing, such as ``s3:ListBucket``; empty where it does not say.
    """

    def __init__(self, message: str, *, hint: str, operation: str, action: str = "") -> None:
        super().__init__(message, hint=hint)
        self.operation = operation
        self.action = action


class DeniedCall(NamedTuple):
    """Who may not do what to which resource; empty where AWS does not say."""

    user: str
    action: str
    resource: str

    @property
    def role(self) -> str:
        """Return the role's name, where a role was assumed: ``arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION``."""
        _, assumed, name = self.user.partition(":assumed-role/")
        return name.partition("/")[0] if assumed else ""


def find_refusal(text: str) -> DeniedCall | None:
    """Find the permission that AWS says is missing."""
    found = _REFUSAL.search(text)
    return DeniedCall(*(found[name] or "" for name in ("user", "action", "resource"))) if found else None


@contextmanager
def aws_errors() -> Iterator[None]:
    """Turn every botocore exception raised inside into a ``GenInfraError``; also usable as a decorator.

    Raises:
        MissingError: there are no credentials, or they have expired or are not valid.
        TransientAwsError: AWS could not be reached, throttles, or answered with a 5xx.
        AccessDeniedError: a refused action, named, with the role that needs it.
        AwsError: any other failure, also an answer that lacks a member.
        UsageError: ``AWS_ENDPOINT_URL`` is not a URL.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        raise _answered(error) from error
    except BotoCoreError as error:
        raise _not_answered(error) from error
    except ResponseParserError as error:
        raise TransientAwsError(
            "the answer came from a server that is not AWS",
            hint="check the proxy (HTTPS_PROXY) and AWS_ENDPOINT_URL; else run it again",
        ) from error
    except KeyError as error:
        # Answers are read inside as if complete, but AWS may leave out nearly every member, and boto3 then does too.
        raise AwsError(f"AWS answered without {error.args[0]}", hint="run it again") from error
    except ValueError as error:
        # botocore has no separate class for this one
        if not str(error).startswith("Invalid endpoint:"):
            raise
        raise UsageError(
            "AWS_ENDPOINT_URL is not a URL", hint="it looks like http://127.0.0.1:5000; unset it for the real AWS"
        ) from error


def error_code(error: ClientError) -> str:
    """Return the code in the answer (``NoSuchBucket``), or for an answer without a body its status (``404``)."""
    return error.response.get("Error", {}).get("Code", "")


def _answered(error: ClientError) -> GenInfraError:
    code = error_code(error)
    if refused := _not_authenticated(error, code):
        return refused
    operation = error.operation_name
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    reason = _one_line(error.response.get("Error", {}).get("Message", ""))
    if code in DENIED:
        return _refused(operation, reason)
    if code in _THROTTLED:
        return TransientAwsError(f"AWS throttles {operation} ({code})", hint="wait a minute and run it again")
    message = f"{operation} failed: {reason or 'no reason given'} ({code or status})"
    if status >= 500:
        return TransientAwsError(message, hint="run it again")
    return AwsError(message, hint=_APPLY_FIRST) if _ABSENT.search(reason) else AwsError(message)


def _not_authenticated(error: ClientError, code: str) -> MissingError | None:
    """Return the error for credentials or a clock that AWS does not accept."""
    if skew := _clock_skew(error, code):
        return MissingError(
            f"the clock of this machine is wrong: {skew}, and AWS accepts only requests of the last minutes",
            hint="set the clock, for example with chronyc makestep or timedatectl set-ntp true, and run it again",
        )
    if code in _EXPIRED:
        return MissingError("the AWS credentials have expired", hint=f"renew them: {_CREDENTIALS_HINT}")
    if code in _REJECTED:
        return MissingError(
            f"AWS does not accept the credentials ({code})",
            hint=f"check for a mistyped key and this machine's clock; else {_CREDENTIALS_HINT}",
        )
    return None


def _clock_skew(error: ClientError, code: str) -> str:
    """Say how far this machine's clock is from AWS's, if AWS refused a request for its time; otherwise empty.

    Some services answer so only in words, or as to expired credentials; each answer has the time of AWS.
    """
    if code not in _FOR_ITS_TIME:
        return ""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        seconds = (datetime.now(UTC) - parsedate_to_datetime(headers["date"])).total_seconds()
    except (KeyError, TypeError, ValueError):
        seconds = 0.0
    if abs(seconds) >= _SKEW_SECONDS:
        return f"it is {abs(seconds) / 60:.0f} minutes {'ahead of' if seconds > 0 else 'behind'} AWS's"
    said = error.response.get("Error", {}).get("Message", "")
    return "it differs from AWS's" if code == _SKEWED or _OF_OTHER_TIME.search(said) else ""


def _refused(operation: str, reason: str) -> AwsError:
    found = find_refusal(reason)
    if not found:
        hint = f"the credentials need a policy that allows {operation}"
        return AccessDeniedError(f"access denied: {operation}", hint=hint, operation=operation)
    return AccessDeniedError(
        f"access denied: {found.action}" + (f" on {found.resource}" if found.resource else ""),
        hint=f"allow {found.action} for {found.user or 'the caller'}",
        operation=operation,
        action=found.action,
    )


def _not_answered(error: BotoCoreError) -> GenInfraError:
    from botocore import exceptions as boto

    if isinstance(error, boto.ProfileNotFound):
        return MissingError(_one_line(str(error)), hint="correct AWS_PROFILE, or run `aws configure --profile NAME`")
    if isinstance(
        error,
        boto.NoCredentialsError
        | boto.PartialCredentialsError
        | boto.CredentialRetrievalError
        | boto.TokenRetrievalError
        | boto.SSOError
        | boto.LoginError,
    ):
        return MissingError(f"no AWS credentials: {_one_line(str(error))}", hint=_CREDENTIALS_HINT)
    if isinstance(error, (boto.ConnectionError, boto.HTTPClientError)):
        return _unreachable(error)
    return AwsError(_one_line(str(error)))


def _unreachable(error: BotoCoreError) -> TransientAwsError:
    url = urlsplit(str(error.kwargs.get("endpoint_url") or error.kwargs.get("proxy_url") or ""))
    if not url.hostname:
        return TransientAwsError(f"AWS cannot be reached: {_one_line(str(error))}", hint="check the network")
    where = f"{url.scheme}://{url.hostname}" + (f":{url.port}" if url.port else "")
    if url.hostname in LOOPBACK:
        hint = "is the emulator running? `gen-infra emulator` starts it; unset AWS_ENDPOINT_URL for the real AWS"
    else:
        hint = "check the network, the proxy (HTTPS_PROXY) and the region"
    return TransientAwsError(f"no answer from {where} ({type(error).__name__})", hint=hint)


def _one_line(text: str, limit: int = 400) -> str:
    """Return AWS's words on one line, cut to ``limit`` characters, without a user and password in a URL."""
    line = re.sub(r"//[^/@\s]+@", "//***@", " ".join(text.split())).removesuffix(".")
    return line if len(line) <= limit else f"{line[:limit]}…"
