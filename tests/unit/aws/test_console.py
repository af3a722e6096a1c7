"""Links into the AWS console."""

from __future__ import annotations

import pytest

from gen_infra.aws.console import job_url, log_stream_url

JOB = "876da822-4198-45f2-a252-6cea32512ea8"


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("us-east-1", f"https://us-east-1.console.aws.amazon.com/batch/home?region=us-east-1#jobs/detail/{JOB}"),
        (
            "us-gov-west-1",
            f"https://us-gov-west-1.console.amazonaws-us-gov.com/batch/home?region=us-gov-west-1#jobs/detail/{JOB}",
        ),
        ("cn-north-1", f"https://cn-north-1.console.amazonaws.cn/batch/home?region=cn-north-1#jobs/detail/{JOB}"),
    ],
)
def test_a_job_has_its_page_in_the_console_of_its_partition(region: str, url: str) -> None:
    assert job_url(region, JOB) == url


def test_the_child_of_an_array_job_has_a_page() -> None:
    assert job_url("us-east-1", f"{JOB}:0").endswith(f"#jobs/detail/{JOB}%3A0")


def test_a_log_stream_is_encoded_as_the_console_does_it() -> None:
    stream = f"isaac-prod/default/{JOB}"
    assert log_stream_url("eu-west-1", "/aws/batch/prod/isaac", stream) == (
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/"
        f"$252Faws$252Fbatch$252Fprod$252Fisaac/log-events/isaac-prod$252Fdefault$252F{JOB}"
    )


def test_the_stream_of_a_function_is_encoded_too() -> None:
    url = log_stream_url("us-east-1", "/aws/lambda/f", "2026/01/31/[$LATEST]0a1b")
    assert url.endswith("$252Faws$252Flambda$252Ff/log-events/2026$252F01$252F31$252F$255B$2524LATEST$255D0a1b")
