"""The scopes of workflows: state machines, their runs and lists of samples, by the names that runs have.

A run is an execution ``MACHINE:RUN``. The Distributed Map of a list, ``MACHINE/LABEL``, starts one for each sample. IAM
knows neither the tags of an execution nor who started it, so that a role may continue or stop all runs of a state
machine or none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.permissions.scope import Scope, arn, equals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_infra.manifest.model.manifest import Manifest


def workflow_scopes(manifest: Manifest) -> Iterator[tuple[str, Scope]]:
    """Yield the state machines with their runs and lists: all, and those that the role `submit` may start."""
    if not manifest.workflows:
        return
    started = _started(manifest)
    many = [manifest.many_machine_name(key) for key, workflow in manifest.workflows.items() if workflow.many]
    yield "state-machines", Scope(tuple(map(manifest.state_machine_arn, manifest.state_machines)))
    yield "executions", Scope(_executions(manifest, manifest.workflows))
    yield "map-runs", Scope(tuple(arn(manifest, "states", f"mapRun:{name}/*") for name in many))
    yield "sample-lists", Scope(_lists(manifest, manifest.workflows))
    yield "sample-list-keys", _list_keys(manifest, manifest.workflows)
    machines = [name for key in started for name in manifest.machines_of(key)]
    yield "started-state-machines", Scope(tuple(map(manifest.state_machine_arn, machines)))
    yield "started-executions", Scope(_executions(manifest, started))
    yield "started-sample-lists", Scope(_lists(manifest, started))
    yield "started-sample-list-keys", _list_keys(manifest, started)


def _started(manifest: Manifest) -> list[str]:
    """Return the workflows whose jobs all go to queues that the role `submit` may submit to."""
    from gen_infra.manifest.state_machines import queues_of

    submit = manifest.access.submit if manifest.access else None
    allowed = set(submit.queues if submit and submit.queues else manifest.queues)
    return [key for key in manifest.workflows if queues_of(manifest, key) <= allowed]


def _executions(manifest: Manifest, workflows: Iterable[str]) -> tuple[str, ...]:
    names = [name for key in workflows for name in manifest.machines_of(key)]
    many = [manifest.many_machine_name(key) for key in workflows if manifest.workflows[key].many]
    patterns = (*(f"{name}:*" for name in names), *(f"{name}/*" for name in many))
    return tuple(arn(manifest, "states", f"execution:{pattern}") for pattern in patterns)


def _lists(manifest: Manifest, workflows: Iterable[str]) -> tuple[str, ...]:
    from gen_infra.manifest.state_machines import sample_bucket, sample_folder

    def objects(key: str) -> Iterator[str]:
        if many := manifest.workflows[key].many:
            name = manifest.buckets[sample_bucket(manifest, key, many)].name
            yield f"arn:{manifest.partition}:s3:::{name}/{sample_folder(manifest, key, many)}lists/*"

    return tuple(each for key in workflows for each in objects(key))


def _list_keys(manifest: Manifest, workflows: Iterable[str]) -> Scope:
    """Return the keys that the manifest gives for the buckets of lists, through S3."""
    from gen_infra.manifest.state_machines import sample_bucket

    many = ((key, manifest.workflows[key].many) for key in workflows)
    buckets = (manifest.buckets[sample_bucket(manifest, key, each)] for key, each in many if each)
    keys = dict.fromkeys(bucket.kms_key for bucket in buckets if bucket.kms_key)
    return Scope(tuple(keys), (equals("kms:ViaService", f"s3.{manifest.region}.{manifest.dns_suffix}"),))
