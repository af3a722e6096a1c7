"""The model of what an environment takes over: resources that existed before its manifest, and keep their names."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from gen_infra.manifest.model.base import Key, Model, RepositoryName, about, text

_BATCH_NAME = "[A-Za-z0-9][A-Za-z0-9_-]{0,127}"

BatchName = Annotated[
    str,
    text(_BATCH_NAME, "1 to 128 letters, digits, '_' and '-' (a name in AWS Batch)", "highPriority-prod"),
]
Revision = Annotated[
    str,
    text(
        f"{_BATCH_NAME}(?::[1-9][0-9]{{0,8}})?",
        "the name of a job definition, or its name and a revision such as isaac-prod:3",
        "isaac-prod:3",
        "isaac-prod",
    ),
]
LogGroupName = Annotated[
    str,
    text(r"[A-Za-z0-9_./-]{1,512}", "the name of a log group, without '#'", "/lab/batch", max_length=512),
]
IamName = Annotated[
    str,
    text(
        "[A-Za-z0-9_.@-]{1,128}",
        "the name of an IAM role or instance profile of letters, digits and any of _ . @ -",
        "labTaskRole",
    ),
]


class Existing(Model, frozen=True, kw_only=True):
    """Resources that existed before this manifest: they are imported, and keep their names.

    `gen-infra adopt` writes this section. Of what it lists, Terraform changes the tags alone, and the settings of
    queues.
    """

    compute: Annotated[
        dict[Key, BatchName],
        about(
            "Compute environments that stay as they are. Remove a line, and the queues get a successor as `compute` "
            "describes it; the old one is deleted when its jobs have ended."
        ),
    ] = {}
    queues: Annotated[dict[Key, BatchName], about("The names of queues, in place of `<key>-<name>`.")] = {}
    scheduling_policies: Annotated[
        dict[Key, BatchName], about("The names of fair-share policies, by the key of their queue.")
    ] = {}
    jobs: Annotated[
        dict[Key, Revision],
        about(
            "The names of job definitions, in place of `<key>-<name>`. With a revision, that revision stays as it is; "
            "remove the revision, and the next one is registered as `jobs` describes it."
        ),
    ] = {}
    repositories: Annotated[
        dict[RepositoryName, RepositoryName],
        about("The names of ECR repositories in place of `<name>/<repository>`; their settings stay as they are."),
    ] = {}
    log_groups: Annotated[
        tuple[LogGroupName, ...], Meta(max_length=100), about("Log groups; their settings stay as they are.")
    ] = ()
    roles: Annotated[
        tuple[IamName, ...], Meta(max_length=100), about("IAM roles; their trust and policies stay as they are.")
    ] = ()
    instance_profiles: Annotated[
        tuple[IamName, ...], Meta(max_length=100), about("Instance profiles; their roles stay as they are.")
    ] = ()
