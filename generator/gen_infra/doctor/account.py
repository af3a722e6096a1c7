"""The common part of the doctor's checks of an account, and the first checks: the account and the region.

A check is a generator of lines. If AWS refuses a call or does not answer, the check reports a warning and continues
with nothing; what it had found before stays.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, ParamSpec

from gen_infra.aws.errors import AccessDeniedError, aws_errors, error_code
from gen_infra.aws.session import identity
from gen_infra.doctor.diagnosis import ok, warning, wrong
from gen_infra.errors import AwsError, GenInfraError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gen_infra.aws.session import Clients
    from gen_infra.doctor.diagnosis import Diagnosis

_Arguments = ParamSpec("_Arguments")

# Operations whose permission has another name.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
_PERMISSIONS = {
    "HeadBucket": "s3:ListBucket",
    "GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
}


def check(
    subject: str, service: str
) -> Callable[[Callable[_Arguments, Iterator[Diagnosis]]], Callable[_Arguments, list[Diagnosis]]]:
    """Decorate a check: run it to its end, and turn a call that AWS refuses into a warning under ``subject``.

    Args:
        subject: what the check looks at.
        service: the prefix of the permissions it needs, where AWS's answer does not name the one that is missing.
    """

    def decorate(generator: Callable[_Arguments, Iterator[Diagnosis]]) -> Callable[_Arguments, list[Diagnosis]]:
        @functools.wraps(generator)
        def run(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> list[Diagnosis]:
            found: list[Diagnosis] = []
            try:
                with aws_errors():
                    found.extend(generator(*args, **kwargs))
            except AccessDeniedError as denied:
                needed = denied.action or _PERMISSIONS.get(denied.operation, f"{service}:{denied.operation}")
                found.append(warning(subject, f"cannot check: needs {needed}", denied.hint))
            except AwsError as error:
                found.append(warning(subject, f"cannot check: {error.message}", error.hint))
            return found

        return run

    return decorate


def credentials(clients: Clients, expected_account: str | None) -> list[Diagnosis]:
    """Check whether there are credentials, and for the right account, where one is expected."""
    try:
        caller = identity(clients)
    except GenInfraError as error:
        return [wrong("credentials", error.message, error.hint)]
    lines = [ok("credentials", caller.arn)]
    if expected_account and caller.account != expected_account:
        advice = "set AWS_PROFILE to a profile of the right account, or AWS_ENDPOINT_URL to the emulator"
        message = f"the manifest is for {expected_account}, the credentials are for {caller.account}"
        lines.append(wrong("account", message, advice))
    elif expected_account:
        lines.append(ok("account", f"{expected_account}, as in the manifest"))
    return lines


@check("region", "ec2")
def region(clients: Clients, configured: str | None) -> Iterator[Diagnosis]:
    """Check whether the account may use the clients' region, and whether other tools would go to another one.

    ``configured`` is the region of the caller's own settings, if there is one.
    """
    name = clients.region
    try:
        regions = clients.ec2.describe_regions(RegionNames=[name], AllRegions=True)["Regions"]
    except clients.ec2.exceptions.ClientError as error:
        if error_code(error) != "InvalidParameterValue":
            raise
        yield wrong("region", f'unknown region "{name}"', "correct `region` in the manifest")
        return
    if any(found.get("OptInStatus") == "not-opted-in" for found in regions):
        advice = f"aws account enable-region --region-name {name}"
        yield wrong("region", f"{name} is not enabled for this account", advice)
    elif configured and configured != name:
        message = f"{name}, as in the manifest; but AWS_REGION or the profile has {configured}"
        yield warning("region", message, f"export AWS_REGION={name}, so that the AWS CLI looks there too")
    else:
        yield ok("region", f"{name}, as in the manifest")
