"""A copy of an emulator has all that was in the account, and changes independently from then on."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from gen_infra import emulator
from tests.emulator.emulator.test_functions import invoke
from tests.emulator.emulator.test_process import answers
from tests.emulator.job_helpers import follow, running, submit
from tests.emulator.probes import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gen_infra.emulator import Emulator

COPIER = """
import signal, sys
from gen_infra.emulator import copy_of
made = copy_of(int(sys.argv[1]))
print(made.pid, made.port, flush=True)
signal.pause()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where emulators put their files."""
    return tmp_path_factory.mktemp("emulators")


@pytest.fixture(scope="module")
def original(folder: Path) -> Iterator[Emulator]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        running = emulator.start(seed=False)
    with running:
        yield running


def buckets(aws: Emulator) -> set[str]:
    return {each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]}


def test_each_has_its_own_route(original: Emulator) -> None:
    original.client("s3").create_bucket(Bucket="before")
    with original.copy() as first, first.copy() as second:
        assert len({original.port, first.port, second.port}) == 3
        for number, each in enumerate((original, first, second)):
            each.client("s3").create_bucket(Bucket=f"after-{number}")
        assert buckets(first) == {"before", "after-1"}
        assert buckets(second) == {"before", "after-2"}
    assert buckets(original) == {"before", "after-0"}
    assert not answers(first.port)
    first.stop()  # once more does no harm


def test_it_stays_when_the_original_stops() -> None:
    with emulator.start(seed=False) as original:
        copy = original.copy()
    with copy:
        assert not answers(original.port)
        assert copy.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_it_ends_with_the_process_that_started_it(original: Emulator) -> None:
    with subprocess.Popen([sys.executable, "-c", COPIER, str(original.port)], stdout=subprocess.PIPE) as copier:
        assert copier.stdout
        pid, port = map(int, copier.stdout.readline().split())
        process = os.pidfd_open(pid)
        assert answers(port)
        copier.kill()
    assert select.select([process], [], [], 10)[0], "ten seconds later it still ran"
    os.close(process)
    assert not answers(port)


def test_jobs_continue_in_both(original: Emulator) -> None:
    lab = Lab(original.endpoint)
    job_id = submit(lab, lab.queue(lab.environment()), **running(["sleep", "1"]))
    follow(lab, job_id, until={"RUNNING"})
    with original.copy() as copy:
        for each in (lab, Lab(copy.endpoint)):
            job, _ = follow(each, job_id)
            assert (job["status"], len(job["attempts"])) == ("SUCCEEDED", 1)
        again, _ = follow(Lab(copy.endpoint), submit(Lab(copy.endpoint), job["jobQueue"], job["jobDefinition"]))
        assert again["status"] == "SUCCEEDED"


def test_functions_of_a_copy_reach_the_copy(original: Emulator) -> None:
    source = "import os\ndef handler(event, context):\n    return os.environ['AWS_ENDPOINT_URL']\n"
    with original.copy() as copy:
        assert invoke(Lab(copy.endpoint), source)[0] == copy.endpoint
    assert invoke(Lab(original.endpoint), source)[0] == original.endpoint


def test_it_is_made_between_two_calls(original: Emulator) -> None:
    original.hold("CreateTopic")
    with ThreadPoolExecutor() as pool:
        topic = pool.submit(original.client("sns").create_topic, Name="under-way")
        original.wait_until_held("CreateTopic")
        copying = pool.submit(original.copy)
        original.heal()
        with copying.result() as copy:
            assert topic.result()["TopicArn"] in {
                each["TopicArn"] for each in copy.client("sns").list_topics()["Topics"]
            }


def test_it_leaves_no_files(original: Emulator, folder: Path) -> None:
    before = set(folder.iterdir())
    with original.copy() as copy:
        copy.client("s3").create_bucket(Bucket="large")
        copy.client("s3").put_object(Bucket="large", Key="object", Body=b"0" * 20_000_000)  # more than memory takes
        assert len(set(folder.iterdir()) - before) == 1
    assert set(folder.iterdir()) == before
