"""The settings of an environment that are few values each: state, key, IAM, logs, buckets, hosts, suppressions."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gen_infra.manifest.model.base import (
    KMS_KEY_ARN,
    AbsolutePath,
    BucketName,
    IamPath,
    ImageRepositoryArn,
    InstanceProfileArn,
    KmsKeyArn,
    Model,
    PolicyArn,
    Prefix,
    about,
    text,
)
from gen_infra.tools.versions import DEFAULT_MAJOR, Major

# Where the logs of a job go whose definition has no log configuration, in every environment of an account and region.
# https://docs.aws.amazon.com/batch/latest/userguide/using_cloudwatch_logs.html
DEFAULT_LOG_GROUP = "/aws/batch/job"


class StateBucket(Model, frozen=True, kw_only=True):
    """Terraform state in S3, locked with S3's conditional writes (``use_lockfile``)."""

    bucket: Annotated[BucketName, about("The state bucket; `gen-infra bootstrap` creates it.")]


class TerraformSettings(Model, frozen=True, kw_only=True):
    """The version of Terraform's AWS provider."""

    aws_provider: Annotated[
        Major,
        about(
            "The major version of Terraform's AWS provider. An environment can go from 5 to 6, and not back: "
            "docs/provider-6.md."
        ),
    ] = DEFAULT_MAJOR


class Encryption(Model, frozen=True, kw_only=True):
    """The KMS key of volumes, logs, images and functions."""

    key: Annotated[
        str,
        text(f"create|{KMS_KEY_ARN}", "'create', or the ARN of a KMS key (not of an alias)", "create"),
        about("`create` creates a customer managed key; an ARN uses an existing key."),
    ] = "create"


class Iam(Model, frozen=True, kw_only=True):
    """IAM settings of an organisation, for every role."""

    path: Annotated[IamPath, about("The IAM path of every role.")] = "/"
    permissions_boundary: Annotated[
        PolicyArn | None, about("The ARN of an existing managed policy to set as every role's permissions boundary.")
    ] = None
    instance_profile: Annotated[
        InstanceProfileArn | None,
        about("The ARN of an existing instance profile for the instances; default: a new profile."),
    ] = None
    image_repositories: Annotated[
        tuple[ImageRepositoryArn, ...],
        about(
            "More ECR repositories, by ARN, that instances may pull from with the new profile's role: those of job "
            "definitions that workflow engines register. `repositories` and the images of `jobs` need no entry."
        ),
    ] = ()


class Logs(Model, frozen=True, kw_only=True):
    """CloudWatch log groups."""

    retention_days: Annotated[
        Literal[365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
        about("How long to keep logs, in days; the security checks require at least a year."),
    ] = 365
    default_group: Annotated[
        bool,
        about(
            "Create `/aws/batch/job` with this retention and the environment's key: Batch's own log group for job "
            "definitions that name none, such as those of workflow engines. One environment of a region can have it."
        ),
    ] = False


class Bucket(Model, frozen=True, kw_only=True):
    """An existing bucket that jobs may use."""

    name: Annotated[BucketName, about("The bucket's name in S3.")]
    access: Annotated[
        Literal["read", "write", "delete", "work"],
        about(
            "`read` lists and gets objects and their tags; `write` also puts them, in parts too; `delete` also deletes "
            "them; `work` is for a workflow's work folder, and also reads and deletes old versions."
        ),
    ]
    prefix: Annotated[
        Prefix | None,
        about(
            "Allow only the objects under this prefix, and only a list of these; a list without any prefix, which S3 "
            "cannot tell from `HeadBucket`, still shows the keys of the whole bucket."
        ),
    ] = None
    kms_key: Annotated[KmsKeyArn | None, about("The customer managed key that encrypts the bucket, if any.")] = None


class Hosts(Model, frozen=True, kw_only=True):
    """What jobs may use of their hosts beside the scratch volume, FUSE, GPUs and EFA."""

    allow_paths: Annotated[
        tuple[AbsolutePath, ...],
        about(
            "Folders (with what is below them) and devices of the hosts that jobs may use; `check` passes them only if "
            "its policy file lists them too."
        ),
    ] = ()


class Suppression(Model, frozen=True, kw_only=True):
    """A finding of `gen-infra check` that is accepted until a date."""

    check: Annotated[
        str,
        text("[A-Z][A-Z0-9_]{3,39}", "a check's id", "CKV_AWS_338", "GI_NET_3"),
        about("The id of the check."),
    ]
    resource: Annotated[
        str,
        text(r"[^\s]{3,256}", "a resource's address, with * for any part", "module.compute_*.aws_launch_template.this"),
        about("The resource address that `gen-infra check` shows; `*` matches any part of it."),
    ]
    reason: Annotated[
        str, Meta(min_length=10, max_length=300), about("Why the finding is accepted; every check shows it.")
    ]
    expires: Annotated[
        str,
        text("[0-9]{4}-[0-9]{2}-[0-9]{2}", 'a date in quotes, such as "2026-12-31"', "2026-12-31"),
        about("The last day on which the finding is accepted."),
    ]
