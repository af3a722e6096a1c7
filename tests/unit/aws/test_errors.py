"""What botocore raises, and what a person gets to read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from botocore.stub import Stubber

from gen_infra.aws import session
from gen_infra.aws.errors import AccessDeniedError, TransientAwsError, aws_errors
from gen_infra.errors import AwsError, GenInfraError, MissingError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

ARN = "arn:aws:sts::111111111111:assumed-role/analyst/kim"


def answered(clients: session.Clients, code: str, message: str = "", status: int = 400) -> GenInfraError:
    """Return the error of a call that AWS answered with this code."""
    with Stubber(clients.sts) as stub:
        stub.add_client_error("get_caller_identity", code, message, status)
        with pytest.raises(GenInfraError) as caught:
            session.identity(clients)
    return caught.value


def raised(error: Exception) -> GenInfraError:
    with pytest.raises(GenInfraError) as caught, aws_errors():
        raise error
    return caught.value


def test_a_web_page_instead_of_an_answer_is_reported_but_not_quoted() -> None:
    error = raised(ResponseParserError("Unable to parse response: <html>secret</html>"))
    assert isinstance(error, TransientAwsError)
    assert "not AWS" in error.message
    assert "secret" not in error.message + error.hint


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "RequestExpired"])
def test_expired_credentials_are_missing_credentials(clients: session.Clients, code: str) -> None:
    error = answered(clients, code, "The security token included in the request is expired")
    assert isinstance(error, MissingError)
    assert error.message == "the AWS credentials have expired"
    assert "aws sso login" in error.hint


def test_the_answer_to_a_wrong_signature_is_not_repeated(clients: session.Clients) -> None:
    said = "The Canonical String should have been 'x-amz-security-token:FwoGZXIvYXdzEXAMPLE'"
    error = answered(clients, "SignatureDoesNotMatch", said, 403)
    assert isinstance(error, MissingError)
    assert "FwoGZXIvYXdzEXAMPLE" not in error.message + error.hint


@pytest.mark.parametrize(
    ("code", "said", "message", "hint"),
    [
        (
            "AccessDeniedException",
            f"User: {ARN} is not authorized to perform: batch:SubmitJob on resource: "
            "arn:aws:batch:us-east-1:111111111111:job-queue/q because no identity-based policy allows it",
            "access denied: batch:SubmitJob on arn:aws:batch:us-east-1:111111111111:job-queue/q",
            f"allow batch:SubmitJob for {ARN}",
        ),
        (
            "UnauthorizedOperation",
            f"You are not authorized to perform this operation. User: {ARN} is not authorized to perform: "
            "ec2:DescribeLaunchTemplates because no policy allows it. Encoded authorization failure message: 0aB1c2D3",
            "access denied: ec2:DescribeLaunchTemplates",
            f"allow ec2:DescribeLaunchTemplates for {ARN}",
        ),
        (
            "AccessDenied",
            "Access Denied",
            "access denied: GetCallerIdentity",
            "the credentials need a policy that allows GetCallerIdentity",
        ),
    ],
)
def test_a_refusal_names_the_action(clients: session.Clients, code: str, said: str, message: str, hint: str) -> None:
    error = answered(clients, code, said, 403)
    assert type(error) is AccessDeniedError
    assert (error.message, error.hint) == (message, hint)


@pytest.mark.parametrize(
    ("code", "status"), [("ThrottlingException", 400), ("RequestLimitExceeded", 503), ("ServerException", 500)]
)
def test_what_may_pass_is_transient(clients: session.Clients, code: str, status: int) -> None:
    assert isinstance(answered(clients, code, "try later", status), TransientAwsError)


def test_any_other_answer_is_reported_with_its_operation_and_code(clients: session.Clients) -> None:
    error = answered(clients, "ClientException", "JobQueue\n nope not found.")
    assert type(error) is AwsError
    assert error.message == "GetCallerIdentity failed: JobQueue nope not found (ClientException)"
    assert error.hint == "if the environment was not applied yet, run gen-infra apply first"


@pytest.mark.parametrize(
    "make",
    [
        boto.NoCredentialsError,
        lambda: boto.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        boto.UnauthorizedSSOTokenError,
        boto.LoginRefreshRequired,
        lambda: boto.ProfileNotFound(profile="lab"),
    ],
)
def test_without_credentials_the_hint_explains_how_to_get_them(make: Callable[[], Exception]) -> None:
    error = raised(make())
    assert isinstance(error, MissingError)
    assert "aws configure" in error.hint


def test_an_emulator_that_is_down_is_named_with_the_way_to_start_it() -> None:
    error = raised(boto.EndpointConnectionError(endpoint_url="http://127.0.0.1:5000/bucket?list-type=2"))
    assert isinstance(error, TransientAwsError)
    assert error.message == "no answer from http://127.0.0.1:5000 (EndpointConnectionError)"
    assert "gen-infra emulator" in error.hint


def test_an_unreachable_aws_points_to_the_network() -> None:
    error = raised(boto.ReadTimeoutError(endpoint_url="https://batch.us-east-1.amazonaws.com/v1/submitjob"))
    assert error.message == "no answer from https://batch.us-east-1.amazonaws.com (ReadTimeoutError)"
    assert "HTTPS_PROXY" in error.hint


@pytest.mark.parametrize(
    "error",
    [
        boto.ProxyConnectionError(proxy_url="http://kim:s3cret@proxy.lab:3128", error="refused"),
        boto.HTTPClientError(error="could not reach http://kim:s3cret@proxy.lab:3128/"),
    ],
)
def test_the_password_of_a_proxy_is_not_repeated(error: Exception) -> None:
    message = raised(error).message
    assert "proxy.lab:3128" in message
    assert "s3cret" not in message


def test_an_endpoint_that_is_no_url_is_wrong_usage(clients: session.Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:5000")
    with pytest.raises(UsageError, match="AWS_ENDPOINT_URL is not a URL"):
        session.identity(clients)


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(ValueError, match="not ours"), aws_errors():
        raise ValueError("not ours")


def test_a_profile_that_does_not_exist_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing-profile")
    with pytest.raises(MissingError, match="missing-profile"):
        session.clients("us-east-1")


def test_credentials_of_another_account_are_refused_naming_both(clients: session.Clients) -> None:
    with Stubber(clients.sts) as stub:
        stub.add_response(
            "get_caller_identity", {"Account": "111111111111", "Arn": ARN, "UserId": "AROAEXAMPLEEXAMPLE:kim"}
        )
        with pytest.raises(UsageError) as caught:
            session.require_account(clients, "222222222222")
    assert "222222222222" in caught.value.message
    assert "111111111111" in caught.value.message


def test_the_region_and_only_known_services_are_there(clients: session.Clients) -> None:
    assert clients.region == "us-east-1"
    assert clients.functions.meta.service_model.service_name == "lambda"
    assert clients.batch is clients.batch
    with pytest.raises(AttributeError):
        clients.glacier  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize(
    ("code", "said", "minutes", "words"),
    [
        ("RequestTimeTooSkewed", "The difference is too large.", 0, "it differs from AWS's"),
        ("RequestTimeTooSkewed", "The difference is too large.", 20, "it is 20 minutes ahead of AWS's"),
        ("SignatureDoesNotMatch", "Signature not yet current: 1 is still later than 2", 0, "it differs from AWS's"),
        ("InvalidSignatureException", "Signature expired: 1 is now earlier than 2", -7, "it is 7 minutes behind AWS's"),
        ("RequestExpired", "Request has expired.", -30, "it is 30 minutes behind AWS's"),
        ("AuthFailure", "AWS was not able to validate", 6, "it is 6 minutes ahead of AWS's"),
    ],
)
def test_a_wrong_clock_is_named(code: str, said: str, minutes: int, words: str) -> None:
    aws = datetime.now(UTC) - timedelta(minutes=minutes)
    metadata = {"HTTPStatusCode": 403, "HTTPHeaders": {"date": format_datetime(aws, usegmt=True)}}
    answer: Any = {"Error": {"Code": code, "Message": said}, "ResponseMetadata": metadata}
    error = raised(ClientError(answer, "ListBuckets"))
    assert isinstance(error, MissingError)
    assert error.message.startswith(f"the clock of this machine is wrong: {words}")


def test_other_refusals_of_a_signature_do_not_blame_the_clock() -> None:
    metadata = {"HTTPHeaders": {"date": format_datetime(datetime.now(UTC), usegmt=True)}}
    answer: Any = {"Error": {"Code": "SignatureDoesNotMatch", "Message": "other"}, "ResponseMetadata": metadata}
    assert "clock of this machine is wrong" not in raised(ClientError(answer, "ListBuckets")).message
