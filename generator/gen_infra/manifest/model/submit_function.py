"""The keys of what the function batchSubmitJob accepts."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gen_infra.manifest.model.base import Model, about

Override = Literal["command", "environment", "revision", "tags"]


class SubmitFunction(Model, frozen=True, kw_only=True):
    """What events of the function `batchSubmitJob-<name>` may change of a job; by default nothing but `parameters`."""

    overrides: Annotated[
        tuple[Override, ...],
        about(
            "`command` and `environment` may replace those of the job; `revision` may name an older revision of the "
            "job definition, with its image; `tags` may add tags to the job, or replace its own. A variable such as "
            "`BASH_ENV` can run a command too."
        ),
    ] = ()
    max_vcpus: Annotated[
        Annotated[int, Meta(ge=1, le=10_000)] | None, about("Most vCPUs of a container; default: those of the job.")
    ] = None
    max_memory_mib: Annotated[
        Annotated[int, Meta(ge=4, le=100_000_000)] | None,
        about("Most memory of a container; default: that of the job."),
    ] = None
    max_gpus: Annotated[
        Annotated[int, Meta(ge=1, le=1_000)] | None, about("Most GPUs of a container; default: those of the job.")
    ] = None
    max_array_size: Annotated[
        Annotated[int, Meta(ge=2, le=10_000)] | None, about("Most children of an array job; default: no array jobs.")
    ] = None
