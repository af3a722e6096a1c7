"""The doctor on buckets: they exist, in the right region, and are not public."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_infra.aws.errors import error_code
from gen_infra.doctor.account import check
from gen_infra.doctor.diagnosis import ok, warning, wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gen_infra.aws.session import Clients
    from gen_infra.doctor.diagnosis import Diagnosis

_PUBLIC_GRANTEES = {
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
}


@check("buckets", "s3")
def bucket(clients: Clients, name: str) -> Iterator[Diagnosis]:
    """Check whether a bucket that jobs, or the image's rebuilds, use is there and private."""
    home = _region(clients, name)
    if home is None:
        yield wrong("buckets", f"{name} does not exist", f"correct its name, or: aws s3 mb s3://{name}")
    elif home != clients.region:
        message = f"{name} is in {home}: jobs in {clients.region} pay for what they read from it"
        yield warning("buckets", message, "use a bucket of the environment's own region where you can")
    elif _is_public(clients, name):
        yield wrong("buckets", f"{name} is public", _block(name))
    elif not _is_blocked(clients, name):
        yield warning("buckets", f"{name} is private, but public access is not blocked", _block(name))
    else:
        yield ok("buckets", f"{name} is private")


@check("image source", "s3")
def source_bucket(clients: Clients, name: str, *, pinned_image: bool) -> Iterator[Diagnosis]:
    """Check whether the bucket of the image's sources keeps versions: a rebuild takes the version that was applied.

    ``pinned_image``: the manifest names the container image of the build by digest.
    """
    if _region(clients, name) is None:
        return  # which `bucket` says
    if clients.s3.get_bucket_versioning(Bucket=name).get("Status") == "Enabled":
        image = "an image that is pinned by digest"
        if not pinned_image:
            image = "CodeBuild's own image, which is not pinned; `image.rebuild.codebuild_image` pins one"
        yield ok("image source", f"{name} keeps versions: rebuilds use the source that was applied, in {image}")
    else:
        message = f"{name} keeps no versions: who may write to it decides what the next rebuild runs"
        command = f"aws s3api put-bucket-versioning --bucket {name} --versioning-configuration Status=Enabled"
        yield wrong("image source", message, command)


@check("state bucket", "s3")
def state_bucket(clients: Clients, name: str, bootstrap: str) -> Iterator[Diagnosis]:
    """Check whether the bucket of the Terraform state is there, and as `gen-infra bootstrap` leaves it.

    ``bootstrap`` is the command that makes it.
    """
    home = _region(clients, name)
    if home is None:
        yield wrong("state bucket", f"{name} does not exist", bootstrap)
    elif home != clients.region:
        advice = "choose another name for `state.bucket`"
        yield wrong("state bucket", f"{name} is in {home}, but the manifest has {clients.region}", advice)
    elif not _is_blocked(clients, name) and _is_public(clients, name):
        yield wrong("state bucket", f"{name} is public: so are the secrets in the state", bootstrap)
    elif clients.s3.get_bucket_versioning(Bucket=name).get("Status") != "Enabled":
        yield warning("state bucket", f"{name} has no versioning: a lost state cannot be restored", bootstrap)
    elif not _is_blocked(clients, name):
        yield warning("state bucket", f"{name} is private, but public access is not blocked", bootstrap)
    else:
        yield ok("state bucket", f"{name} is private and versioned")


def _region(clients: Clients, name: str) -> str | None:
    """Look up the bucket's region; None where the bucket does not exist."""
    found = _unless(lambda: clients.s3.head_bucket(Bucket=name), "404")
    return found.get("BucketRegion", clients.region) if found else None


def _is_blocked(clients: Clients, name: str) -> bool:
    """Check whether S3 blocks every setting that would make the bucket public."""
    found = _unless(lambda: clients.s3.get_public_access_block(Bucket=name), "NoSuchPublicAccessBlockConfiguration")
    return bool(found) and all(found.get("PublicAccessBlockConfiguration", {"": False}).values())


def _is_public(clients: Clients, name: str) -> bool:
    """Check whether a policy or an access control list makes it public, and nothing blocks that."""
    if _is_blocked(clients, name):
        return False
    status = _unless(lambda: clients.s3.get_bucket_policy_status(Bucket=name), "NoSuchBucketPolicy")
    grants = clients.s3.get_bucket_acl(Bucket=name).get("Grants", [])
    by_policy = status.get("PolicyStatus", {}).get("IsPublic", False)
    return by_policy or any(grant.get("Grantee", {}).get("URI") in _PUBLIC_GRANTEES for grant in grants)


def _unless(call: Callable[[], Any], absent: str) -> dict[str, Any]:
    """Return the answer of a call; ``{}`` where it fails with the code ``absent``."""
    from botocore.exceptions import ClientError

    try:
        answer: dict[str, Any] = call()
    except ClientError as error:
        if error_code(error) != absent:
            raise
        return {}
    return answer


def _block(name: str) -> str:
    settings = "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
    return f"aws s3api put-public-access-block --bucket {name} --public-access-block-configuration {settings}"
