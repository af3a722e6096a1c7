"""Links into the AWS console.

The console's host by partition: https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/configure-account.html
(console.amazonaws-us-gov.com), https://docs.amazonaws.cn/en_us/aws/latest/userguide/introduction.html
(console.amazonaws.cn). The paths are those that the console itself shows; AWS does not document them.
"""

from __future__ import annotations

from urllib.parse import quote


def job_url(region: str, job_id: str) -> str:
    """Return the Batch console's page of a job."""
    return f"https://{_host(region)}/batch/home?region={region}#jobs/detail/{quote(job_id, safe='')}"


def run_url(region: str, arn: str) -> str:
    """Return the Step Functions console's page of an execution."""
    return f"https://{_host(region)}/states/home?region={region}#/v2/executions/details/{quote(arn, safe='')}"


def log_stream_url(region: str, group: str, stream: str) -> str:
    """Return the CloudWatch console's page of a log stream."""
    return (
        f"https://{_host(region)}/cloudwatch/home?region={region}"
        f"#logsV2:log-groups/log-group/{_fragment(group)}/log-events/{_fragment(stream)}"
    )


def _host(region: str) -> str:
    if region.startswith("cn-"):
        return f"{region}.console.amazonaws.cn"
    if region.startswith("us-gov-"):
        return f"{region}.console.amazonaws-us-gov.com"
    return f"{region}.console.aws.amazon.com"


def _fragment(name: str) -> str:
    """Percent-encode twice, with ``$`` for the second ``%``: ``/aws`` -> ``$252Faws``."""
    return quote(quote(name, safe=""), safe="").replace("%", "$")
