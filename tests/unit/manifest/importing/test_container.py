"""Containers of job definitions as keys of a job: an imported one renders to what it was, apart from its notes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gen_infra.manifest.importing.job import Imported, import_jobs
from gen_infra.manifest.importing.values import REMOVED, without_secrets
from gen_infra.render.containers import container_properties, node_properties
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:lab/licence-AbCdEf"
ROLE = "arn:aws:iam::123456789012:role/lab/aligner"
SIZE = [{"type": "VCPU", "value": "4"}, {"type": "MEMORY", "value": "8000"}]
ON_FARGATE = {"compute": {"spot": {"type": "FARGATE", "max_vcpus": 16}}}
# What gen-infra always says in its own way.
OURS = {"jobRoleArn", "executionRoleArn", "logConfiguration", "networkConfiguration", "fargatePlatformConfiguration"}


def definition(**container: Any) -> dict[str, Any]:
    return {
        "jobDefinitionName": "tool",
        "type": "container",
        "timeout": {"attemptDurationSeconds": 60},
        "containerProperties": {"image": "quay.io/x/y:1", "resourceRequirements": SIZE, **container},
    }


def imported(document: object) -> Imported:
    return import_jobs(json.dumps(document))


def entry(**container: Any) -> dict[str, Any]:
    return imported(definition(**container)).jobs["tool"]


def notes(**container: Any) -> str:
    return "\n".join(imported(definition(**container)).notes)


@pytest.mark.parametrize(
    ("container", "key", "value"),
    [
        ({"user": "1000:1000"}, "user", "1000:1000"),
        ({"readonlyRootFilesystem": True}, "readonly_root", True),
        ({"ulimits": [{"name": "core", "softLimit": 0, "hardLimit": 9}]}, "ulimits", {"core": {"soft": 0, "hard": 9}}),
        ({"secrets": [{"name": "TOKEN", "valueFrom": SECRET}]}, "secrets", {"TOKEN": {"arn": SECRET}}),
        ({"jobRoleArn": ROLE}, "role", ROLE),
        ({"jobRoleArn": "arn:aws:iam::123456789012:role/tool-job"}, "role", None),
        ({"jobRoleArn": ROLE, "executionRoleArn": ROLE}, "role", None),
        ({"jobRoleArn": "jobRole"}, "role", None),
        ({"command": ["run", "Ref::in", "--x=Ref::in"]}, "required_parameters", ["in"]),
        ({"enableExecuteCommand": True}, "container_properties", {"enableExecuteCommand": True}),
        ({"privileged": True}, "container_properties", None),
        ({"instanceType": "c7i.large"}, "container_properties", {"instanceType": "c7i.large"}),
        ({"inventedHere": True}, "container_properties", None),
        (
            {"fargatePlatformConfiguration": {"platformVersion": "1.4.0"}},
            "container_properties",
            {"fargatePlatformConfiguration": {"platformVersion": "1.4.0"}},
        ),
        ({"linuxParameters": {"maxSwap": 0, "swappiness": 0}}, "linux", {"max_swap_mib": 0, "swappiness": 0}),
        ({"linuxParameters": {"swappiness": 10}}, "linux", None),
        (
            {"linuxParameters": {"devices": [{"hostPath": "/dev/fuse", "containerPath": "/dev/fuse"}]}},
            "linux",
            {"devices": [{"host_path": "/dev/fuse"}]},
        ),
        (
            {
                "volumes": [
                    {"name": "9 ref", "efsVolumeConfiguration": {"fileSystemId": "fs-12345678", "rootDirectory": "/"}}
                ],
                "mountPoints": [{"sourceVolume": "9 ref", "containerPath": "/ref", "readOnly": True}],
            },
            "efs",
            {"fs9-ref": {"file_system": "fs-12345678", "mount": "/ref", "read_only": True}},
        ),
        (
            {
                "volumes": [{"name": "a", "host": {"sourcePath": "/docker_scratch"}}, {"name": "scratch", "host": {}}],
                "mountPoints": [
                    {"sourceVolume": "a", "containerPath": "/scratch"},
                    {"sourceVolume": "scratch", "containerPath": "/cache"},
                ],
            },
            "container_properties",
            {
                "volumes": [{"name": "scratch-as-it-is", "host": {}}],
                "mountPoints": [{"sourceVolume": "scratch-as-it-is", "containerPath": "/cache"}],
            },
        ),
    ],
)  # fmt: skip
def test_each_property_has_its_key(container: dict[str, Any], key: str, value: Any) -> None:
    assert entry(**container).get(key) == value


@pytest.mark.parametrize(
    ("container", "says"),
    [
        ({"inventedHere": True}, "inventedHere is not carried over: AWS Batch has no such container property"),
        ({"privileged": True}, "privileged is not carried over: a privileged container is root on its host"),
        ({"jobRoleArn": ROLE}, "jobRoleArn is kept as `role`: gen-infra changes nothing about it; without that key it"),
        ({"jobRoleArn": ROLE, "executionRoleArn": ROLE}, "it is the execution role; gen-infra makes one for the job"),
        ({"jobRoleArn": "jobRole"}, "jobRoleArn is not carried over: it is not the ARN of a role; gen-infra makes one"),
        ({"image": {"Ref": "Image"}}, "image is not given as text; write it"),
        ({"command": ["Ref::in"]}, "in without a default becomes required"),
        ({"secrets": [{"name": "T", "valueFrom": "licence"}]}, "its ARN: arn:aws:ssm:REGION:ACCOUNT:parameter/licence"),
        ({"secrets": [{"name": "T", "valueFrom": 5}]}, "secrets: T is left out: its valueFrom is not text"),
        ({"secrets": [{"name": "T", "valueFrom": SECRET}]}, "secrets need `kms_key` beside `arn`"),
        ({"ulimits": [{"name": "fruit", "softLimit": 1, "hardLimit": 1}]}, "ulimits: fruit is left out"),
        ({"linuxParameters": {"swappiness": 10}}, "linuxParameters.swappiness is left out: without maxSwap"),
        ({"linuxParameters": {"other": 1}}, "linuxParameters.other is not carried over"),
        ({"linuxParameters": {"devices": [{"hostPath": "/dev/fuse"}]}}, "add `permissions` if the job has to make"),
        ({"linuxParameters": {"devices": [{"hostPath": "fuse"}]}}, "linuxParameters.devices: fuse is left out"),
        ({"linuxParameters": {"tmpfs": [{"containerPath": "/t", "size": 0}]}}, "linuxParameters.tmpfs: /t is left out"),
        ({"enableExecuteCommand": True}, "enableExecuteCommand is carried over as it is, in `container_properties`"),
    ],
)  # fmt: skip
def test_each_change_has_a_note(container: dict[str, Any], says: str) -> None:
    assert says in notes(**container)


def test_a_secret_by_name_that_is_left_out_has_one_note() -> None:
    assert notes(secrets=[{"name": "T", "valueFrom": "licence"}]).count("secrets: T") == 1


def test_words_that_are_not_text_are_written_as_cloudformation_converts_them() -> None:
    words = {"command": ["align", 5, True, None], "environment": [{"name": "SORT", "value": False}]}
    made = entry(**words)
    assert (made["command"], made["environment"]) == (["align", "5", "true"], {"SORT": "false"})
    assert "command holds null, which is left out" in notes(**words)


def test_a_file_system_gets_encryption_and_a_note() -> None:
    volumes = [
        {"name": "ref", "efsVolumeConfiguration": {"fileSystemId": "fs-12345678", "transitEncryptionPort": 3049}}
    ]
    said = notes(volumes=volumes, mountPoints=[{"sourceVolume": "ref", "containerPath": "/ref"}])
    assert "volumes: ref is mounted through TLS and with the job's role" in said
    assert "volumes: ref loses its transitEncryptionPort" in said


def nodes(*containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    ranges = [{"targetNodes": f"{index}:", "container": one} for index, one in enumerate(containers)]
    properties = {"mainNode": 0, "numNodes": 4, "nodeRangeProperties": ranges, **more}
    return {"jobDefinitionName": "mpi", "type": "multinode", "nodeProperties": properties}


def test_nodes_with_the_same_container_become_nodes() -> None:
    container = {"image": "quay.io/x/y:1", "vcpus": 4, "memory": 8000, "instanceType": "c7i.large"}
    result = imported(nodes(container, container, mainNode=1))
    assert result.jobs["mpi"]["nodes"] == 4
    assert result.jobs["mpi"]["vcpus"] == 4
    said = "\n".join(result.notes)
    for words in (
        "mainNode becomes 0",
        "instanceType is carried over as it is",
        "give it a queue of On-Demand instances",
    ):
        assert words in said, words
    assert "nodes" not in imported(nodes(container, numNodes=1)).jobs["mpi"]


def test_imported_nodes_render_as_they_were(tmp_path: Path) -> None:
    container = {**definition(command=["run"])["containerProperties"], "instanceType": "c7i.2xlarge"}
    result = imported(nodes(container))
    manifest = accept(tmp_path, jobs=result.jobs, compute__spot__type="EC2")
    rendered = json.loads(json.dumps(node_properties(manifest, "mpi")))
    (every,) = rendered.pop("nodeRangeProperties")
    assert rendered == {"numNodes": 4, "mainNode": 0}
    assert every["targetNodes"] == "0:"
    assert {key: value for key, value in every["container"].items() if key not in OURS and value != []} == container


def test_nodes_that_differ_are_refused() -> None:
    one, other = {"image": "a/b", "vcpus": 1, "memory": 8}, {"image": "a/c", "vcpus": 1, "memory": 8}
    result = import_jobs(json.dumps([nodes(one, other), definition()]))
    assert list(result.jobs) == ["tool"]
    (refusal,) = result.refusals
    assert refusal == (
        "mpi",
        "its nodes differ: 0: and 1: in image; a job of a manifest runs the same container on every node",
    )


@pytest.mark.parametrize(
    "container",
    [
        {"extra": {"deep": [{"er": "KEY"}]}},
        {"extra": {"password": "KEY"}},
        {"extra": [{"name": "API_TOKEN", "value": "KEY"}]},
        {"command": ["--token", "KEY"]},
        {"command": ["--password=KEY"]},
        {"user": "KEY"},
        {"KEY": 1},
        {"linuxParameters": {"KEY": 1}},
        {"linuxParameters": {"devices": [{"hostPath": "/dev/fuse", "permissions": ["KEY"]}]}},
        {"mountPoints": [{"sourceVolume": "KEY", "containerPath": "/KEY"}]},
        {"ulimits": [{"name": "KEY", "softLimit": 1, "hardLimit": 1}]},
        {"secrets": [{"name": "KEY", "valueFrom": "KEY"}]},
        {"resourceRequirements": [*SIZE, {"type": "KEY", "value": "1"}]},
    ],
    ids=str,
)
def test_no_secret_is_imported_at_any_depth(tmp_path: Path, container: dict[str, Any]) -> None:
    key = "AKIA" + "Q3EXAMPLE7EXAMPL"
    document = json.loads(json.dumps(definition(**container)).replace("KEY", key))
    result = imported(document)
    assert key not in json.dumps(result.jobs) + "".join(result.notes)
    accept(tmp_path, jobs=result.jobs)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"a": [{"b": "KEY"}]}, {"a": [{"b": REMOVED}]}),
        ({"a": {"clientSecret": "hunter2", "b": 1}}, {"a": {"b": 1}}),
        ({"a": {"clientSecret": SECRET}}, {"a": {"clientSecret": SECRET}}),
        ([{"name": "API_TOKEN", "value": "hunter2"}, {"name": "A", "value": "b"}], [{"name": "A", "value": "b"}]),
        (["run", "--token", "hunter2", "x"], ["run", "x"]),
        (["--token", "Ref::token"], ["--token", "Ref::token"]),
        ([["--token"], "x"], [["--token"], "x"]),
        ({"KEY": 1, "none": None}, {}),
    ],
    ids=str,
)
def test_secrets_are_removed_at_any_depth(value: Any, kept: Any) -> None:
    key, said = "AKIA" + "Q3EXAMPLE7EXAMPL", []
    value = json.loads(json.dumps(value).replace("KEY", key))
    assert without_secrets(value, "", lambda *words: said.append(words)) == kept
    assert bool(said) is (value != kept)
    assert "hunter2" not in str(said)


COUNTS = st.integers(1, 4096)
PATHS = st.sampled_from(["/a", "/b/c", "/work"])


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def in_order(*names: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), unique=True, min_size=1, max_size=3).map(sorted)


@st.composite
def volumes(draw: st.DrawFn) -> dict[str, Any]:
    """EFS file systems, as gen-infra mounts them."""
    point = draw(st.none() | st.just("fsap-0123456789abcdef0"))
    where = {} if point else draw(optional(rootDirectory=PATHS))
    authorization = {"iam": "ENABLED", **({"accessPointId": point} if point else {})}
    configuration = {
        "fileSystemId": "fs-12345678", "transitEncryption": "ENABLED", "authorizationConfig": authorization, **where,
    }  # fmt: skip
    mount = {"sourceVolume": "efs-data", "containerPath": "/data", "readOnly": draw(st.booleans())}
    return {"volumes": [{"name": "efs-data", "efsVolumeConfiguration": configuration}], "mountPoints": [mount]}


LINUX = optional(
    initProcessEnabled=st.just(True),
    sharedMemorySize=COUNTS,
    maxSwap=COUNTS,
    tmpfs=st.lists(
        st.fixed_dictionaries({"containerPath": PATHS, "size": COUNTS, "mountOptions": st.just(["nosuid"])}),
        min_size=1, max_size=1,
    ),
    devices=st.just([{"hostPath": "/dev/fuse", "containerPath": "/dev/fuse", "permissions": ["READ"]}]),
).filter(bool)  # fmt: skip
CONTAINERS = optional(
    command=st.lists(st.sampled_from(["run", "Ref::in", "--out=Ref::out"]), min_size=1, max_size=3),
    environment=in_order("A", "B").map(lambda names: [{"name": name, "value": "x"} for name in names]),
    secrets=in_order("C", "D").map(lambda names: [{"name": name, "valueFrom": SECRET} for name in names]),
    user=st.sampled_from(["1000", "app:app"]),
    readonlyRootFilesystem=st.just(True),
    ulimits=in_order("core", "nofile", "stack").map(
        lambda names: [{"name": name, "softLimit": 1, "hardLimit": -1} for name in names]
    ),
    linuxParameters=LINUX,
    runtimePlatform=st.just({"cpuArchitecture": "X86_64"}),
    efs=volumes(),
)
FARGATE = {
    "resourceRequirements": [{"type": "VCPU", "value": "0.25"}, {"type": "MEMORY", "value": "512"}],
    "ephemeralStorage": {"sizeInGiB": 30},
    "networkConfiguration": {"assignPublicIp": "DISABLED"},
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(container=CONTAINERS, on_fargate=st.booleans())
def test_an_imported_container_renders_as_it_was(tmp_path: Path, container: dict[str, Any], on_fargate: bool) -> None:
    container.update(container.pop("efs", {}))
    if on_fargate:
        only_on_instances = {"ulimits"} | ({"linuxParameters"} if "linuxParameters" in container else set())
        container = {key: value for key, value in container.items() if key not in only_on_instances} | FARGATE
    original = definition(**container)["containerProperties"]
    result = imported(definition(**container))
    manifest = accept(tmp_path, jobs=result.jobs, **(ON_FARGATE if on_fargate else {}))
    rendered = (
        json.loads(json.dumps(container_properties(manifest, "tool"))) | manifest.jobs["tool"].container_properties
    )
    assert {key: value for key, value in original.items() if key not in OURS} == {
        key: value for key, value in rendered.items() if key not in OURS and (value or key in original)
    }
    assert not any("left out" in note or "not carried" in note for note in result.notes)
