"""An emulator whose jobs run in containers, and the root file system of their image."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gen_infra import emulator
from gen_infra.tools import container_host
from tests.conftest import missing, require_tool
from tests.emulator.job_helpers import follow, submit
from tests.emulator.probes import Lab, requirements

IMAGE = "public.ecr.aws/docker/library/busybox:stable"
# Prints the status line of a signed GET of the path, and what it brought; needs the variables of a role's session.
GET = r"""#!/bin/sh
found=$(wget -q -O- "http://169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
value() { echo "$found" | sed "s/.*\"$1\": \"\([^\"]*\)\".*/\1/"; }
scope="Credential=$(value AccessKeyId)/20260101/us-east-1/s3/aws4_request"
exec wget -q -S -O- --header "Authorization: AWS4-HMAC-SHA256 $scope, SignedHeaders=host, Signature=0" \
  --header "X-Amz-Security-Token: $(value Token)" "$AWS_ENDPOINT_URL/$1"
"""


@dataclass(frozen=True)
class Ended:
    """A job that has ended, as DescribeJobs shows it, and the lines of its log."""

    job: Any
    lines: list[str]

    @property
    def container(self) -> Any:
        return self.job["container"]


@dataclass(frozen=True)
class ContainerLab:
    """An emulator that runs containers of one image, and a queue."""

    lab: Lab
    running: emulator.Emulator
    queue: str

    def submit(self, script: str, *, job: dict[str, Any] | None = None, **container: Any) -> str:
        """Submit a job that runs a script; ``job`` changes the submission, and ``container`` the definition."""
        given = {
            "image": IMAGE,
            "command": ["sh", "-c", script],
            "resourceRequirements": requirements(vcpu="1", memory="64"),
        }
        return submit(self.lab, self.queue, self.lab.definition(given | container), **job or {})

    def ended(self, job_id: str) -> Ended:
        """Wait until a job has ended."""
        job, _ = follow(self.lab, job_id)
        stream = job["container"].get("logStreamName", "")
        return Ended(job, self.lines(stream) if stream else [])

    def run(self, script: str, *, job: dict[str, Any] | None = None, **container: Any) -> Ended:
        return self.ended(self.submit(script, job=job, **container))

    def lines(self, stream: str, group: str = "/aws/batch/job") -> list[str]:
        """Return the lines of a log stream; none if the container has not started."""
        logs = self.lab.client("logs")
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
            events = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
            return [each["message"] for each in events]
        return []

    def wait_for_line(self, job_id: str, line: str) -> None:
        """Wait until a running job has written a line; a minute at most."""
        job, _ = follow(self.lab, job_id, {"RUNNING", "SUCCEEDED", "FAILED"})
        deadline = time.monotonic() + 60
        while line not in self.lines(job["container"]["logStreamName"]):
            assert time.monotonic() < deadline, f"the job has not written {line}"


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one image: busybox, a user, and a script that calls S3."""
    lacking, hint = container_host.missing()
    if lacking:
        missing(f"containers need {lacking}", hint)
    folder = tmp_path_factory.mktemp("images")
    root = folder / IMAGE
    for name in ("bin", "etc", "home/worker", "tmp"):
        (root / name).mkdir(parents=True)
    shutil.copy(require_tool("busybox"), root / "bin/busybox")
    subprocess.run(["chroot", str(root), "/bin/busybox", "--install", "-s", "/bin"], check=True)
    (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nworker:x:1000:1000::/home/worker:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\nworker:x:1000:\nstaff:x:50:worker\n")
    (root / "bin/get").write_text(GET)
    (root / "bin/get").chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def containers(images: Path) -> Iterator[ContainerLab]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_INFRA_EMULATOR_JOB_SECONDS", "0.1")
        patch.setenv("GEN_INFRA_EMULATOR_STOP_SECONDS", "1")
        patch.setenv("GEN_INFRA_EMULATOR_DISK_MIB", "64")
        with emulator.start(seed=False, images=images) as running:
            lab = Lab(running.endpoint)
            yield ContainerLab(lab, running, lab.queue(lab.environment()))
