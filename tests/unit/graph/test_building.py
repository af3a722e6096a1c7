"""The parts of an environment and what they use, on manifests of this repository and on small ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gen_infra.graph import Graph, graph
from gen_infra.manifest import load_with_warnings
from tests.conftest import ROOT
from tests.golden.renew import expected, manifests
from tests.unit.graph.graphs import job, loaded, prod

_BLOCK = re.compile(r'^(module|resource) "([^"]+)" (?:"([^"]+)" )?\{', re.MULTILINE)


def edges(drawn: Graph, source: str) -> dict[str, str]:
    return {edge.target: edge.direction for edge in drawn.edges if edge.source == source}


@pytest.mark.parametrize("manifest", manifests(), ids=lambda path: path.stem)
def test_every_rendered_resource_and_module_belongs_to_a_node_and_no_address_is_made_up(manifest: Path) -> None:
    files = [content.decode() for path, content in expected(manifest.stem).items() if path.endswith(".tf")]
    found = [block for text in files for block in _BLOCK.findall(text)]
    rendered = {f"module.{first}" if kind == "module" else f"{first}.{second}" for kind, first, second in found}
    drawn = graph(load_with_warnings(manifest))
    known = {address for node in drawn.nodes for address in node.addresses}
    notes = {address for address in rendered if address.startswith("terraform_data.")}
    assert rendered - notes == known


@pytest.mark.parametrize("manifest", manifests(), ids=lambda path: path.stem)
def test_ids_are_unique_and_each_node_names_the_line_of_its_key(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    drawn = graph(load_with_warnings(manifest))
    ids = [node.id for node in drawn.nodes]
    assert len({*ids}) == len(ids)
    assert {end for edge in drawn.edges for end in (edge.source, edge.target)} <= {*ids}
    for node in drawn.nodes:
        if node.file:
            line = Path(node.file).read_text().splitlines()[node.line - 1]
            key = node.key.rpartition(".")[2]
            assert re.search(rf"\b{key}\b", line), f"{node.id}: {node.place} is {line!r}"


def test_prod_is_drawn_from_the_network_to_the_data() -> None:
    drawn = prod()
    assert [[node.id for node in drawn.column(number)] for number in range(5)] == [
        ["network", "image", "repositories", "key"],
        ["compute-genomicsEnv", "functions"],
        ["queue-highPriority", "queue-lowPriority", "workflow-germline"],
        ["job-isaac", "job-strelka", "job-snpeff", "job-samtoolsStats"],
        ["bucket-reference", "bucket-results", "logs"],
    ]
    assert edges(drawn, "network") == edges(drawn, "image") == {"compute-genomicsEnv": "forward"}
    assert edges(drawn, "compute-genomicsEnv") == {"queue-highPriority": "forward", "queue-lowPriority": "forward"}
    assert edges(drawn, "job-isaac") == {"bucket-reference": "back", "bucket-results": "both"}
    assert edges(drawn, "job-samtoolsStats") == {"bucket-results": "both"}
    by_id = {node.id: node for node in drawn.nodes}
    assert by_id["job-isaac"].role == "isaac-prod-job"
    assert by_id["job-isaac"].details == ("32 vCPUs, 80000 MiB", "image isaac")
    assert by_id["bucket-results"].details == ("jobs may read and write", "below genomic-workflow/")
    assert by_id["workflow-germline"].addresses == ("module.workflow_germline",)
    assert by_id["compute-genomicsEnv"].role == "batchInstance-prod"


def test_a_workflow_runs_its_jobs_and_uses_a_queue_of_its_own_choice() -> None:
    drawn = prod()
    indirect = [(edge.source, edge.target) for edge in drawn.edges if edge.is_indirect]
    runs = [("workflow-germline", f"job-{name}") for name in ("isaac", "strelka", "snpeff", "samtoolsStats")]
    assert indirect == [*runs, ("queue-lowPriority", "job-samtoolsStats")]


def test_queues_are_in_the_order_in_which_batch_schedules_them_and_name_their_compute(tmp_path: Path) -> None:
    queues = {
        "low": {"priority": 1, "compute": ["spot"]},
        "high": {"priority": 9, "compute": ["steady", "spot"]},
    }
    compute = {"spot": {"max_vcpus": 64}, "steady": {"type": "EC2", "max_vcpus": 64}}
    found = {"slow": job(queue="low"), "quick": job(queue="high")}
    drawn = graph(loaded(tmp_path, queues=queues, compute=compute, jobs=found))
    assert [node.name for node in drawn.nodes if node.kind == "queue"] == ["high-test", "low-test"]
    assert [node.name for node in drawn.nodes if node.kind == "job"] == ["quick-test", "slow-test"]
    assert drawn.column(2)[0].details == ("priority 9", "on steady, then spot")


def test_who_may_submit() -> None:
    drawn = graph(load_with_warnings(ROOT / "envs" / "examples" / "access.yaml"))
    assert edges(drawn, "access-submit") == {"queue-lowPriority": "forward"}
    assert edges(drawn, "access-operate") == {"queue-highPriority": "forward", "queue-lowPriority": "forward"}
    assert edges(drawn, "access-plan") == edges(drawn, "access-apply") == {}


def test_engines_have_their_queue_their_work_files_and_their_file_systems() -> None:
    drawn = graph(load_with_warnings(ROOT / "envs" / "examples" / "shared-files.yaml"))
    assert "engine-nextflow" in edges(drawn, "queue-main")
    engine = next(node for node in drawn.nodes if node.kind == "engine")
    assert engine.role == "nextflow-shared-files-worker"
    assert edges(drawn, "engine-nextflow")["work-nextflow"] == "both"
    assert edges(drawn, "job-align")["file_system-refs"] == "back"
    assert edges(drawn, "job-fetch")["file_system-refs"] == "both"


def test_a_network_and_the_rebuilding_of_the_image_say_what_they_are() -> None:
    created = graph(load_with_warnings(ROOT / "envs" / "examples" / "shared-files.yaml"))
    assert created.nodes[0].details == ("10.46.0.0/20 in 2 zones", "8 interface endpoints", "endpoint of S3")
    rebuilt = graph(load_with_warnings(ROOT / "envs" / "examples" / "image-rebuild.yaml"))
    image = next(node for node in rebuilt.nodes if node.id == "image")
    assert "module.image_pipeline" in image.addresses
    assert any(detail.startswith("rebuilt when stale: ") for detail in image.details)


def test_images_of_their_own_leave_the_one_that_is_built(tmp_path: Path) -> None:
    own = {"max_vcpus": 64, "image": {"id": "ami-0123456789abcdef0"}}
    drawn = graph(loaded(tmp_path, compute={"spot": own}))
    built, running = [node for node in drawn.nodes if node.kind == "image"]
    assert built.addresses == ("module.image_builder",)
    assert (running.id, running.details) == ("image-spot", ("ami-0123456789abcdef0",))
    assert edges(drawn, "image-spot") == {"compute-spot": "forward"}
    assert edges(drawn, "image") == {}


def test_an_existing_role_is_the_one_that_a_job_runs_as(tmp_path: Path) -> None:
    role = "arn:aws:iam::123456789012:role/lab/reader"
    drawn = graph(loaded(tmp_path, jobs={"scan": job(role=role)}))
    found = next(node for node in drawn.nodes if node.kind == "job")
    assert found.role == "reader"
    assert "aws_iam_role.scan" not in found.addresses


def test_the_description_names_every_part() -> None:
    drawn = prod()
    for node in drawn.nodes:
        assert node.name in drawn.description
    assert drawn.subtitle == "account 123456789012, us-east-1"


def test_what_container_properties_mount_is_drawn(tmp_path: Path) -> None:
    given = {
        "volumes": [
            {"name": "own", "efsVolumeConfiguration": {"fileSystemId": "fs-0a1b2c3d4e5f60718"}},
            {"name": "refs", "efsVolumeConfiguration": {"fileSystemId": "fs-0123456789abcdef0"}},
            {"name": "databases", "host": {"sourcePath": "/srv/databases"}},
            {"name": "cache", "host": {"sourcePath": "/srv/cache"}},
        ],
        "mountPoints": [
            {"sourceVolume": "own", "containerPath": "/own"},
            {"sourceVolume": "refs", "containerPath": "/refs", "readOnly": True},
            {"sourceVolume": "databases", "containerPath": "/databases", "readOnly": True},
            {"sourceVolume": "cache", "containerPath": "/cache"},
        ],
    }
    drawn = graph(
        loaded(
            tmp_path,
            file_systems={"refs": {"efs": "fs-0123456789abcdef0"}},
            hosts={"allow_paths": ["/srv"]},
            jobs={"one": job(container_properties=given)},
        )
    )
    systems = [node.id for node in drawn.nodes if node.kind == "file_system"]
    assert systems == ["file_system-refs", "file_system-fs-0a1b2c3d4e5f60718"]
    found = edges(drawn, "job-one")
    assert (found["file_system-refs"], found["file_system-fs-0a1b2c3d4e5f60718"]) == ("back", "both")
    [one] = [node for node in drawn.nodes if node.id == "job-one"]
    assert one.details[-2:] == ("reads /srv/databases of its host", "may write /srv/cache of its host")
