"""Run a pipeline in the head job of Nextflow, as a user with the role `submit` does, in a container with a stand-in.

The definition is the environment's own, but for its image: Nextflow's cannot be had here.
"""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.permissions.policies import documents
from gen_infra.resources import data_dir
from tests import oci
from tests.cli import clean_environ, command
from tests.emulator.containers.pipeline.image import make_layer
from tests.emulator.probes import Lab
from tests.emulator.skopeo import push
from tests.permissions.environments import credentials, role_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.emulator import Emulator
    from gen_infra.manifest import Manifest

_S3 = Path(__file__).parents[1] / "containers" / "pipeline" / "s3"
_NEXTFLOW = Path(__file__).with_name("nextflow")
_REPOSITORY = "nf-core/nextflow"  # below `iam.image_repositories`
_IMAGE = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{_REPOSITORY}:1"


class Answer(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    lines: list[str]
    said: str


@contextmanager
def stand_in(aws: Emulator, manifest: Manifest, folder: Path) -> Iterator[None]:
    """Give the head job an image with a program that stands in for Nextflow."""
    layout = oci.Layout(folder / "image")
    layer = make_layer(("bash", "curl", "env", "grep", "sed"), [_NEXTFLOW, _S3])
    layout.tag(layout.manifest([layer], {"Env": ["PATH=/usr/bin:/opt/pipeline"]}), "1")
    batch, ecr, name = aws.client("batch"), aws.client("ecr"), manifest.suffixed("nextflow-head")
    ecr.create_repository(repositoryName=_REPOSITORY)
    push(Lab(aws.endpoint), f"oci:{folder}/image:1", f"{_REPOSITORY}:1")
    [own] = batch.describe_job_definitions(jobDefinitionName=name, status="ACTIVE")["jobDefinitions"]
    kept = {key: own[key] for key in ("jobDefinitionName", "type", "timeout", "retryStrategy", "tags")}
    made = batch.register_job_definition(**kept, containerProperties=own["containerProperties"] | {"image": _IMAGE})
    try:
        yield
    finally:
        batch.deregister_job_definition(jobDefinition=made["jobDefinitionArn"])
        ecr.delete_repository(repositoryName=_REPOSITORY, force=True)


def submit_heads(aws: Emulator, manifest: Manifest, *last: str) -> list[Answer]:
    """Submit a head job for each last argument with the role `submit`, and follow their logs at the same time."""
    role = role_with(aws, "submit", *documents(manifest, "submit"))
    environ = clean_environ(**{**aws.environ, **credentials(aws, role)})
    path = data_dir("envs") / "examples" / f"{manifest.name}.yaml"
    words = (
        "--engine",
        "nextflow",
        "--pipeline",
        "nf-core/demo",
        "--revision",
        "1.0.2",
        "--follow",
        "--",
        "--input=a b",
    )
    started = [
        subprocess.Popen(
            command("submit", path, *words, each),
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for each in last
    ]
    answers = []
    for each in started:
        out, said = each.communicate(timeout=120)
        answers.append(Answer(each.returncode, out.splitlines(), said))
    return answers
