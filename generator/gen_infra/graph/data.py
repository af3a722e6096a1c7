"""The parts of a graph that hold data, and who may read or write it: buckets, file systems, logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gen_infra.graph.model import GraphEdge, GraphNode
from gen_infra.graph.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_infra.graph.model import Direction
    from gen_infra.manifest import Manifest
    from gen_infra.manifest.model.container import EfsVolume, FsxVolume
    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.settings import Bucket

_RIGHTS = {
    "read": "read",
    "write": "read and write",
    "delete": "read, write and delete",
    "work": "read, write and delete",
}


def data(manifest: Manifest) -> Iterator[GraphNode | GraphEdge]:
    """Yield the nodes, and the edges to them from jobs and engines."""
    for key, bucket in manifest.buckets.items():
        yield _bucket(f"bucket-{key}", f"buckets.{key}", bucket)
    yield from _bucket_edges(manifest)
    yield from _file_systems(manifest)
    yield from _mounts(manifest)
    if manifest.own_jobs or manifest.logs.default_group:
        yield _logs(manifest)


def _bucket(id_: str, key: str, bucket: Bucket) -> GraphNode:
    below = [f"below {bucket.prefix}"] if bucket.prefix else []
    versions = ["and old versions"] if bucket.access == "work" else []
    return GraphNode(id_, "bucket", bucket.name, (f"jobs may {_RIGHTS[bucket.access]}", *versions, *below), key=key)


def _bucket_edges(manifest: Manifest) -> Iterator[GraphNode | GraphEdge]:
    for name, job in manifest.jobs.items():
        for key in job.buckets:
            yield _right(f"job-{name}", f"bucket-{key}", f"{name} may {{}} {key}", manifest.buckets[key].access)
    for name, engine in manifest.given_engines.items():
        node = f"engine-{name}"
        for key in engine.buckets:
            yield _right(node, f"bucket-{key}", f"tasks of {name} may {{}} {key}", manifest.buckets[key].access)
        work = engine.work
        if work.bucket not in manifest.buckets:
            yield _bucket(f"work-{name}", f"engines.{name}.work", manifest.work_bucket(name))
        place = f"bucket-{work.bucket}" if work.bucket in manifest.buckets else f"work-{name}"
        title = f"{name} keeps its work files below {work.prefix}"
        yield GraphEdge(node, place, title, "both")


def _right(node: str, bucket: str, title: str, access: str) -> GraphEdge:
    return GraphEdge(node, bucket, title.format(_RIGHTS[access]), direction=_direction(is_read=access == "read"))


def _direction(*, is_read: bool) -> Direction:
    return "back" if is_read else "both"


def _file_systems(manifest: Manifest) -> Iterator[GraphNode]:
    for key, each in manifest.file_systems.items():
        what = "FSx for Lustre" if each.fsx else "EFS"
        id_ = each.fsx or each.efs or ""
        name = manifest.suffixed(key) if each.is_created else id_
        addresses = (f"module.file_system_{key}",) if each.is_created else ()
        yield GraphNode(
            f"file_system-{key}", "file_system", name, (what,), key=f"file_systems.{key}", addresses=addresses
        )
    named = {volume.file_system for _, volume in _efs_volumes(manifest)}
    named |= {mount.file_system for mount in _properties_mounts(manifest)}
    named -= {*manifest.file_systems}
    yield from (GraphNode(f"file_system-{id_}", "file_system", id_, ("EFS",)) for id_ in sorted(named))


def _efs_volumes(manifest: Manifest) -> Iterator[tuple[str, EfsVolume]]:
    """Yield every EFS volume, with the id of the node that mounts it."""
    for name, job in manifest.jobs.items():
        yield from ((f"job-{name}", volume) for each in job.all_containers.values() for volume in each.efs.values())
    for engine, given in manifest.given_engines.items():
        yield from ((f"engine-{engine}", volume) for volume in given.efs.values())


def _fsx_volumes(manifest: Manifest) -> Iterator[tuple[str, Mapping[str, FsxVolume]]]:
    for name, job in manifest.jobs.items():
        yield from ((f"job-{name}", each.fsx) for each in job.all_containers.values())
    yield from ((f"engine-{engine}", given.fsx) for engine, given in manifest.given_engines.items())


class PropertiesMount(NamedTuple):
    """An EFS file system that the ``container_properties`` of a job mount: the job's node, its key or id."""

    node: str
    file_system: str
    read_only: bool


def _properties_mounts(manifest: Manifest) -> Iterator[PropertiesMount]:
    keys = {each.efs: key for key, each in manifest.file_systems.items() if each.efs}
    for name, job in manifest.jobs.items():
        for volume in job.container_properties.get("volumes", []):
            if id_ := volume.get("efsVolumeConfiguration", {}).get("fileSystemId"):
                yield PropertiesMount(f"job-{name}", keys.get(id_, id_), is_read_only(job, volume.get("name")))


def is_read_only(job: Job, volume: str | None) -> bool:
    """Return whether the ``container_properties`` of a job mount a volume, and never for writing."""
    points = [each for each in job.container_properties.get("mountPoints", []) if each.get("sourceVolume") == volume]
    return bool(points) and all(each.get("readOnly", False) for each in points)


def _mounts(manifest: Manifest) -> Iterator[GraphEdge]:
    """Yield an edge for each job and file system that it mounts; read only if no container may write."""
    read_only: dict[tuple[str, str], bool] = {}
    mounts = [(node, volume.file_system, volume.read_only) for node, volume in _efs_volumes(manifest)]
    mounts += [(node, key, each.read_only) for node, volumes in _fsx_volumes(manifest) for key, each in volumes.items()]
    mounts += _properties_mounts(manifest)
    for node, key, is_read in mounts:
        read_only[node, key] = read_only.get((node, key), True) and is_read
    for (node, key), is_read in read_only.items():
        name = node.partition("-")[2]
        title = f"{name} may {_RIGHTS['read' if is_read else 'write']} {key}"
        yield GraphEdge(node, f"file_system-{key}", title, _direction(is_read=is_read))


def _logs(manifest: Manifest) -> GraphNode:
    own = f"/aws/batch/{manifest.name}/…"
    default = manifest.logs.default_group
    return GraphNode(
        "logs",
        "logs",
        own if manifest.own_jobs else "/aws/batch/job",
        (
            *(["and /aws/batch/job"] if default and manifest.own_jobs else []),
            f"kept {count(manifest.logs.retention_days, 'day')}",
        ),
        key="logs",
        addresses=("aws_cloudwatch_log_group.batch_default",) if default else (),
    )
