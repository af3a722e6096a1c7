"""The keys of a manifest: frozen structs, whose descriptions are also in the JSON Schema and the documentation.

Only these structs define defaults. Keys are AWS's or Terraform's terms, with the unit in the name.
Limits of a single value are here; rules between values are in `gen_infra.manifest.rules`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gen_infra.manifest.model.access import Access
from gen_infra.manifest.model.base import (
    AccountId,
    EnvironmentName,
    ImageTag,
    Key,
    Model,
    Region,
    RepositoryName,
    TagKey,
    TagValue,
    about,
)
from gen_infra.manifest.model.engine import Engines
from gen_infra.manifest.model.existing import Existing
from gen_infra.manifest.model.file_system import FileSystem
from gen_infra.manifest.model.image import Image
from gen_infra.manifest.model.job import Job
from gen_infra.manifest.model.network import Network
from gen_infra.manifest.model.notifications import Notifications
from gen_infra.manifest.model.scheduling import ComputeEnvironment, Queue
from gen_infra.manifest.model.settings import (
    Bucket,
    Encryption,
    Hosts,
    Iam,
    Logs,
    StateBucket,
    Suppression,
    TerraformSettings,
)
from gen_infra.manifest.model.submit_function import SubmitFunction
from gen_infra.manifest.model.workflow import Workflow


class ManifestKeys(Model, frozen=True, kw_only=True, dict=True):
    """One environment, with ``extends`` resolved."""

    name: Annotated[EnvironmentName, about("The environment's name, the suffix of its resources' names.")]
    account: Annotated[AccountId, about("The id of the only AWS account that Terraform may change.")]
    region: Annotated[Region, about("The AWS region of all resources.")]
    tags: Annotated[
        dict[TagKey, TagValue], Meta(max_length=40), about("Tags of every resource that supports tags.")
    ] = {}
    state: Annotated[Literal["local"] | StateBucket, about("`local`, or the S3 bucket of the Terraform state.")]
    terraform: TerraformSettings = TerraformSettings()
    network: Network
    encryption: Encryption = Encryption()
    iam: Iam = Iam()
    access: Annotated[
        Access | None, about("Roles for people and CI, each with the rights of its commands; default: none.")
    ] = None
    logs: Logs = Logs()
    notifications: Notifications = Notifications()
    buckets: Annotated[dict[Key, Bucket], about("Buckets that jobs may use, by a name of your choice.")] = {}
    file_systems: Annotated[
        dict[Key, FileSystem],
        about("File systems that jobs share, by a name of your choice; jobs mount them by `efs` or `fsx`."),
    ] = {}
    repositories: Annotated[tuple[RepositoryName, ...], about("ECR repositories to create, each under `<name>/`.")] = ()
    image_tags: Annotated[
        dict[RepositoryName, ImageTag],
        about("The tag or digest of each repository's image, for jobs whose `image` has none; also `--image-tag`."),
    ] = {}
    image: Image = Image()
    hosts: Hosts = Hosts()
    compute: Annotated[
        dict[Key, ComputeEnvironment],
        Meta(min_length=1),
        about("Compute environments; `spot` becomes `spot-<name>-…`."),
    ]
    queues: Annotated[dict[Key, Queue], Meta(min_length=1), about("Job queues; `main` becomes `main-<name>`.")]
    jobs: Annotated[dict[Key, Job], about("Job definitions; `isaac` becomes `isaac-<name>`.")] = {}
    submit_function: SubmitFunction = SubmitFunction()
    workflows: Annotated[
        dict[Key, Workflow],
        about("Step Functions state machines that run jobs in order; `germline` becomes `germline-<name>`."),
    ] = {}
    engines: Annotated[
        Engines | None, about("Workflow engines that submit jobs themselves, each with its roles; default: none.")
    ] = None
    existing: Annotated[
        Existing | None, about("Resources that existed before this manifest; `gen-infra adopt` writes this section.")
    ] = None
    suppressions: Annotated[
        tuple[Suppression, ...], about("Findings of `gen-infra check` to accept, each until a date.")
    ] = ()
