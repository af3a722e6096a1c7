"""batchQueueStop: disable the job queues of an environment when its budget is used up.

Any event starts it; what counts is what the budget itself says, because AWS Budgets also sends messages to verify a
topic. Jobs are never ended: those in a disabled queue, waiting or running, still run.

Each queue first gets the tag ``gen-infra:stopped-by-budget`` with the time, by which gen-infra knows why it is
disabled.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

STOPPED_TAG = "gen-infra:stopped-by-budget"
_AT_ONCE = 100  # queues in one call of DescribeJobQueues
_CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"mode": "adaptive", "total_max_attempts": 4})


class QueueStopError(RuntimeError):
    """Some queues are still enabled; Lambda runs the event again."""


def handler(_event: object, _context: object) -> dict[str, Any]:
    """Disable each enabled queue of ``queues.json``, if the budget is used up, and return the names of those.

    Raises:
        QueueStopError: AWS Batch refused to disable a queue; the others are disabled.
    """
    percent = used_percent()
    if percent <= Decimal(os.environ["STOP_QUEUES_AT"]):
        log("nothing to stop", percent=str(percent))
        return {"percent": str(percent), "disabled": []}
    disabled, failed = [], []
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    batch = boto3.client("batch", config=_CONFIG)
    for queue in enabled_queues(batch):
        try:
            batch.tag_resource(resourceArn=queue["jobQueueArn"], tags={STOPPED_TAG: now})
            batch.update_job_queue(jobQueue=queue["jobQueueArn"], state="DISABLED")
            disabled.append(queue["jobQueueName"])
        except ClientError as error:  # such as a queue that is being updated
            failed.append(f"{queue['jobQueueName']}: {error}")
    log("queues disabled", percent=str(percent), queues=disabled, failed=failed)
    if failed:
        raise QueueStopError(f"still enabled: {'; '.join(failed)}")
    return {"percent": str(percent), "disabled": disabled}


def used_percent() -> Decimal:
    """Return which percentage of the budget the environment has cost in this month."""
    budgets = boto3.client("budgets", config=_CONFIG)
    budget = budgets.describe_budget(AccountId=os.environ["ACCOUNT"], BudgetName=os.environ["BUDGET"])["Budget"]
    spent = Decimal(budget["CalculatedSpend"]["ActualSpend"]["Amount"])
    return 100 * spent / Decimal(budget["BudgetLimit"]["Amount"])


def enabled_queues(batch: Any) -> list[dict[str, Any]]:
    """Return the environment's queues that accept jobs; one that does not exist is left out."""
    names = json.loads(Path(__file__).with_name("queues.json").read_text(encoding="utf-8"))
    found = []
    for start in range(0, len(names), _AT_ONCE):
        answer = batch.describe_job_queues(jobQueues=names[start : start + _AT_ONCE], maxResults=_AT_ONCE)
        found += [queue for queue in answer["jobQueues"] if queue["state"] == "ENABLED"]
    return found


def log(message: str, **fields: object) -> None:
    """Write one line of JSON to the function's log."""
    sys.stdout.write(json.dumps({"level": "INFO", "message": message, **fields}) + "\n")
