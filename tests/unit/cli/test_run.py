"""What run prints of objects that it did not find, or may not look for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.stub import Stubber

from gen_infra.cli.console import Console
from gen_infra.cli.run import require_objects
from gen_infra.errors import UsageError
from gen_infra.manifest.run_inputs import S3Object

if TYPE_CHECKING:
    from gen_infra.aws.session import Clients

OBJECTS = {S3Object("lab", "HG002.fq.gz"): ["fastq1"]}


def looked_up(clients: Clients, code: str, status: int) -> None:
    with Stubber(clients.s3) as stub:
        stub.add_client_error("head_object", code, http_status_code=status)
        require_objects(clients, Console(), OBJECTS)


def test_what_the_caller_may_not_read_is_named_and_the_run_goes_on(
    clients: Clients, capsys: pytest.CaptureFixture[str]
) -> None:
    looked_up(clients, "403", 403)
    assert capsys.readouterr().err == (
        "warning: 1 of 1 objects were not looked up, because your role may not read them (s3:GetObject):"
        " s3://lab/HG002.fq.gz (fastq1); a step fails if its object does not exist\n"
    )


def test_an_object_that_does_not_exist_ends_it(clients: Clients) -> None:
    with pytest.raises(UsageError, match=r"1 of 1 objects do not exist: s3://lab/HG002\.fq\.gz \(fastq1\)") as caught:
        looked_up(clients, "404", 404)
    assert caught.value.hint == "nothing was started"
