from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from gen_infra.doctor.containers import container_image

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/prod/isaac:1.4"


@pytest.mark.parametrize(
    ("endpoint", "pushed"),
    [
        (None, IMAGE),
        ("https://vpce-0a1b.api.ecr.us-east-1.vpce.amazonaws.com", IMAGE),
        ("http://127.0.0.1:5000", "127.0.0.1:5000/prod/isaac:1.4"),
    ],
)
def test_a_missing_image_is_pushed_to_the_registry_of_the_clients(endpoint: str | None, pushed: str) -> None:
    session: Any = boto3.Session("testing", "testing", region_name="us-east-1")
    ecr = session.client("ecr", endpoint_url=endpoint)
    clients: Any = SimpleNamespace(ecr=ecr, region="us-east-1")
    with Stubber(ecr) as answers:
        answers.add_client_error("describe_images", "ImageNotFoundException")
        [line] = container_image(clients, "123456789012", IMAGE)
    assert line.advice == f"docker push {pushed}"
