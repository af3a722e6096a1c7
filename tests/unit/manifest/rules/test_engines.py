"""Workflow engines in manifests: what is refused, what is warned of, and what their head jobs are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from gen_infra.manifest import load, load_with_warnings
from gen_infra.manifest.engine_configuration import configuration
from gen_infra.manifest.engine_policies import files_statements
from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.render.files import render
from gen_infra.resources import data_dir
from tests.unit.manifests import changed, write

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest import Manifest

WORK = {"bucket": "scratch-123456789012", "prefix": "nf/"}
EXAMPLE = data_dir("envs") / "examples" / "nextflow.yaml"


def problems(tmp_path: Path, **engines: Any) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        load(write(tmp_path, changed(engines=engines)))
    return [f"{problem.path}: {problem.message}" for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("engine", "problem"),
    [
        ({"queue": "nope"}, 'engines.nextflow.queue: unknown queue "nope"'),
        ({"head": {"queue": "nope"}}, 'engines.nextflow.head.queue: unknown queue "nope"'),
        ({"buckets": ["nope"]}, 'engines.nextflow.buckets[0]: unknown bucket "nope"'),
        ({"jobs": ["nope"]}, 'engines.nextflow.jobs[0]: unknown job "nope"'),
        ({"work": {**WORK, "bucket": "Scratch"}}, 'engines.nextflow.work.bucket: unknown bucket "Scratch"'),
        ({"work": {**WORK, "prefix": "nf"}}, "engines.nextflow.work.prefix: "),
        ({"work": {**WORK, "prefix": "nf/*"}}, "engines.nextflow.work.prefix: "),
        ({"tasks": ["align"]}, "engines.nextflow.tasks: is for miniwdl only"),
        ({"principals": ["arn:aws:iam::123456789012:root"]}, "engines.nextflow.principals[0]: "),
        ({"principals": ["arn:aws:iam::999999999999:role/Other"]}, "engines.nextflow.principals[0]: is of account"),
        ({"principals": ["*"]}, "engines.nextflow.principals[0]: "),
    ],
)
def test_an_engine_that_cannot_work_is_refused(engine: dict[str, Any], problem: str, tmp_path: Path) -> None:
    (found,) = problems(tmp_path, nextflow={"work": WORK, **engine})
    assert found.startswith(problem)


def test_other_engines_lack_what_nextflow_has(tmp_path: Path) -> None:
    head = {"queue": next(iter(load(EXAMPLE).queues))}
    (fusion,) = problems(tmp_path, redun={"work": WORK, "fusion": True})
    assert fusion == "engines.redun.fusion: is for nextflow only"
    (tasks,) = problems(tmp_path, miniwdl={"work": WORK})
    assert tasks.startswith("engines.miniwdl: tasks is missing")
    found = problems(tmp_path, snakemake={"work": WORK, "head": head})
    assert any("image is missing" in each for each in found)


def test_two_engines_cannot_delete_the_files_of_each_other(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, nextflow={"work": WORK}, redun={"work": {**WORK, "prefix": "nf/redun/"}})
    assert found.startswith('engines.redun.work.prefix: "nf/redun/" overlaps')


def test_tasks_of_miniwdl_cannot_take_the_names_of_jobs(tmp_path: Path) -> None:
    text = (EXAMPLE.parent / "miniwdl.yaml").read_text()
    job = "jobs:\n  align: {image: quay.io/biocontainers/bwa:0.7.18, vcpus: 1, memory_mib: 1000}\n"
    path = tmp_path / "miniwdl.yaml"
    path.write_text(text.replace("engines:\n", f"{job}engines:\n"))
    with pytest.raises(ManifestError, match=r"its job definitions could replace that of jobs.align"):
        load(path)


def test_no_engine_can_take_the_names_of_jobs(tmp_path: Path) -> None:
    text = EXAMPLE.read_text().replace(
        "engines:\n", "jobs:\n  nf-align: {image: a/b:1, vcpus: 1, memory_mib: 9}\nengines:\n"
    )
    path = tmp_path / "nextflow.yaml"
    path.write_text(text)
    with pytest.raises(
        ManifestError, match=r"engines.nextflow: its job definitions could replace that of jobs.nf-align"
    ):
        load(path)


def test_an_engine_registers_definitions_of_its_own_names_or_submits_those_of_jobs(tmp_path: Path) -> None:
    def engines(**given: Any) -> Manifest:
        jobs = {"call": {"image": "quay.io/lab/call:1", "vcpus": 1, "memory_mib": 512}}
        return load(write(tmp_path, changed(engines=given, jobs=jobs)))

    own = engines(redun={"work": WORK}, miniwdl={"work": {**WORK, "prefix": "wdl/"}, "tasks": ["sort"]})
    assert own.definition_names("redun") == ["redun-test"]
    assert own.definition_names("miniwdl") == ["sort-*"]
    assert "job_def_name = redun-test\n" in configuration(own, "redun").text
    given = engines(nextflow={"work": WORK, "jobs": ["call"]})
    assert given.definition_names("nextflow") == []
    assert "process.container = 'job-definition://call-test'\n" in configuration(given, "nextflow").text
    given = engines(redun={"work": WORK, "jobs": ["call"]})
    assert "job_def_name = call-test\nautocreate_job_def = False\n" in configuration(given, "redun").text
    assert "role = " not in configuration(given, "redun").text
    found = problems(tmp_path, miniwdl={"work": WORK, "tasks": ["sort"], "jobs": ["call"]})
    assert "engines.miniwdl.jobs: is not for miniwdl, which registers a definition for each task" in found


@pytest.mark.parametrize(("aws_cli", "folder"), [(True, "/opt/aws-cli"), ("/opt/lab/aws", "/opt/lab/aws")])
def test_nextflow_mounts_the_folder_of_the_aws_cli(aws_cli: Any, folder: str, tmp_path: Path) -> None:
    image = {"parameter": "/lab/ami", "aws_cli": aws_cli}
    manifest = load(write(tmp_path, changed(image=image, engines={"nextflow": {"work": WORK}})))
    assert f"aws.batch.cliPath = '{folder}/bin/aws'\n" in configuration(manifest, "nextflow").text
    files = render(manifest)
    assert f"AWS_CLI_FOLDER={folder}".encode() in files["packer/genomics.pkr.hcl"]
    assert {"packer/files/bundle-aws-cli.py", "packer/scripts/aws-cli.sh"} <= files.keys()


@pytest.mark.parametrize("aws_cli", [False, None])
def test_an_image_without_the_aws_cli_has_no_scripts_for_it(aws_cli: Any, tmp_path: Path) -> None:
    files = render(load(write(tmp_path, changed(image={"parameter": "/lab/ami", "aws_cli": aws_cli}))))
    assert not [path for path in files if "aws-cli" in path]


def test_miniwdl_uses_the_file_system_that_the_hosts_have_mounted(tmp_path: Path) -> None:
    """A created EFS file system refuses miniwdl-aws, which mounts without the role of the task."""
    text = (EXAMPLE.parent / "miniwdl.yaml").read_text()
    lustre = "file_systems: {work: {fsx: fs-0123456789abcdef0, mount_name: abcdefgh}}\n"
    path = tmp_path / "miniwdl.yaml"
    path.write_text(text.replace("image:\n", f"{lustre}image:\n  parameter: /lab/ami\n"))
    with_lustre, without = (configuration(load(each), "miniwdl") for each in (path, EXAMPLE.parent / path.name))
    assert "container_backend = aws_batch_job_no_efs\n" in with_lustre.text
    assert "root = /fsx/work\n" in with_lustre.text
    assert "--dir /fsx/work " in with_lustre.command
    assert "container_backend = aws_batch_job\n" in without.text
    assert "root = /mnt/efs\n" in without.text


SHARED = data_dir("envs") / "examples" / "shared-files.yaml"


def shared(tmp_path: Path, **engines: Any) -> Path:
    """Write the example of file systems with these engines."""
    document = yaml.safe_load(SHARED.read_text())
    path = tmp_path / "shared.yaml"
    path.write_text(yaml.safe_dump({**document, "engines": engines}, sort_keys=False))
    return path


def test_an_engine_mounts_file_systems_as_jobs_do() -> None:
    manifest = load(SHARED)
    text = configuration(manifest, "nextflow").text
    assert "aws.batch.volumes = ['/docker_scratch:/tmp', '/fsx/work:/work']\n" in text
    assert "the head job alone mounts EFS" in text
    [archive] = [each for each in files_statements(manifest, "nextflow") if each.sid.startswith("FileSystem")]
    assert archive.resources == ("arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-0123456789abcdef0",)
    assert "elasticfilesystem:ClientWrite" in archive.actions
    assert manifest.engine_mounts("refs") == {"nextflow": False}
    files = render(manifest)
    for role in ("head", "worker"):
        reader = f'"engine/nextflow/{role}" = module.engine_nextflow.{role}_role_name'
        assert reader in " ".join(files["terraform/file_systems.tf"].decode().split())


def test_a_head_job_mounts_the_file_systems_of_its_engine(tmp_path: Path) -> None:
    engine = {
        "work": WORK,
        "head": {"queue": "main"},
        "efs": {"refs": {"file_system": "refs", "mount": "/references"}},
        "fsx": {"work": {"mount": "/work", "read_only": True}},
    }
    manifest = load(shared(tmp_path, nextflow=engine))
    head = manifest.jobs["nextflow-head"]
    assert (head.efs["refs"].mount, head.fsx["work"].read_only) == ("/references", True)
    assert "/fsx/work:/work:ro" in head.environment["GEN_INFRA_ENGINE_CONFIG"]
    jobs = render(manifest)["terraform/jobs.tf"].decode()
    assert "fileSystemId      = module.file_system_refs.id" in jobs
    assert 'sourcePath = "/fsx/work"' in jobs


def test_tasks_of_redun_mount_what_exists(tmp_path: Path) -> None:
    efs = {"archive": {"file_system": "archive", "mount": "/archive", "read_only": True}}
    fsx = {"work": {"mount": "/work"}}
    manifest = load(shared(tmp_path, redun={"work": WORK, "efs": efs, "fsx": fsx}))
    [line] = [each for each in configuration(manifest, "redun").text.splitlines() if each.startswith("job_def_extra")]
    container = json.loads(line.partition(" = ")[2])["containerProperties"]
    assert container["volumes"] == [
        {
            "name": "efs-archive",
            "efsVolumeConfiguration": {
                "fileSystemId": "fs-0123456789abcdef0",
                "transitEncryption": "ENABLED",
                "authorizationConfig": {"iam": "ENABLED", "accessPointId": "fsap-0123456789abcdef0"},
            },
        },
        {"name": "fsx-work", "host": {"sourcePath": "/fsx/work"}},
    ]
    assert [(each["sourceVolume"], each["containerPath"], each["readOnly"]) for each in container["mountPoints"]] == [
        ("efs-archive", "/archive", True),
        ("fsx-work", "/work", False),
    ]


def test_miniwdl_shares_the_file_system_of_its_engine(tmp_path: Path) -> None:
    def text(**given: Any) -> str:
        manifest = load(shared(tmp_path, miniwdl={"work": WORK, "tasks": ["sort"], **given}))
        return configuration(manifest, "miniwdl").text

    efs = text(efs={"archive": {"file_system": "archive", "mount": "/data"}})
    assert "container_backend = aws_batch_job\n" in efs
    assert "root = /data\n" in efs
    assert "fs = fs-0123456789abcdef0\nfsap = fsap-0123456789abcdef0\n" in efs
    fsx = text(fsx={"work": {"mount": "/fsx/work"}})
    assert "container_backend = aws_batch_job_no_efs\n" in fsx
    assert "root = /fsx/work\n" in fsx


@pytest.mark.parametrize(
    ("engine", "given", "problem"),
    [
        ("miniwdl", {"efs": {"refs": {"file_system": "refs", "mount": "/r"}}}, "efs.refs.file_system: a created"),
        ("miniwdl", {"fsx": {"work": {"mount": "/w"}}}, "fsx.work.mount: its tasks have it at"),
        ("redun", {"efs": {"refs": {"file_system": "refs", "mount": "/r"}}}, "efs.refs: redun's configuration needs"),
        ("nextflow", {"efs": {"refs": {"file_system": "no", "mount": "/r"}}}, "efs.refs.file_system: unknown file sys"),
        ("nextflow", {"efs": {"w": {"file_system": "work", "mount": "/r"}}}, "efs.w.file_system: work is FSx for Lus"),
        ("nextflow", {"fsx": {"refs": {"mount": "/r"}}}, "fsx.refs: file_systems.refs is EFS"),
        ("nextflow", {"fsx": {"no": {"mount": "/r"}}}, "fsx.no: unknown FSx for Lustre file system"),
    ],
)
def test_an_engine_cannot_mount_what_does_not_exist(
    engine: str, given: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    more: dict[str, Any] = {"nextflow": {"head": {"queue": "main"}}, "miniwdl": {"tasks": ["sort"]}, "redun": {}}
    with pytest.raises(ManifestError) as caught:
        load(shared(tmp_path, **{engine: {"work": WORK, **more[engine], **given}}))
    [found] = caught.value.problems
    assert f"{found.path}: {found.message}".startswith(f"engines.{engine}.{problem}")


def test_privileged_containers_and_a_head_on_spot_are_warned_of(tmp_path: Path) -> None:
    text = EXAMPLE.read_text().replace("head: {queue: heads,", "fusion: true\n    head: {queue: tasks,")
    path = tmp_path / "nextflow.yaml"
    path.write_text(text)
    found = {warning.path: warning.message for warning in load_with_warnings(path).warnings}
    assert "whose loss ends the whole run" in found["engines.nextflow.head.queue"]
    assert "privileged" in found["engines.nextflow.fusion"]
    assert load_with_warnings(EXAMPLE).warnings == ()


def test_the_head_job_is_a_job_with_the_head_role_and_the_configuration() -> None:
    manifest = load(EXAMPLE)
    head = manifest.jobs["nextflow-head"]
    assert head.role == manifest.engine_role_arn("nextflow", "head")
    assert head.queue == "heads"
    assert "process.queue = 'tasks-nextflow'" in head.environment["GEN_INFRA_ENGINE_CONFIG"]
    assert manifest.existing_job_roles == []


def test_a_resolved_manifest_has_the_same_head_job_and_another_is_refused(tmp_path: Path) -> None:
    resolved = tmp_path / "resolved.yaml"
    resolved.write_bytes(render(load(EXAMPLE))["manifest.resolved.yaml"])
    assert load(resolved) == load(EXAMPLE)
    resolved.write_text(resolved.read_text().replace("memory_mib: 8000", "memory_mib: 9000", 1))
    with pytest.raises(ManifestError, match=r"is the key of the head job of engines.nextflow; rename it"):
        load(resolved)


def test_the_roles_reach_the_work_prefix_and_the_declared_buckets_alone() -> None:
    statements = files_statements(load(EXAMPLE), "nextflow")
    deletes = [each.resources for each in statements if "s3:DeleteObject" in each.actions]
    assert deletes == [("arn:aws:s3:::genomics-results-123456789012/nf/*",)]
    assert {arn.partition("/")[0] for each in statements for arn in each.resources} == {
        "arn:aws:s3:::genomics-results-123456789012",
        "arn:aws:s3:::aws-batch-genomics-resources",
    }
