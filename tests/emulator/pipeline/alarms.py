"""See each alarm of an applied environment fire and clear, in a time that the test sets."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3

from gen_infra.emulator.administrator import CREDENTIALS
from tests.polling import wait_until

if TYPE_CHECKING:
    from gen_infra.emulator import Emulator
    from gen_infra.manifest import Manifest

HOUR = 3600


class Alarms:
    """An environment's alarms, what their topics send, and the jobs behind them.

    Args:
        aws: the account.
        manifest: the environment, with a queue `main`.
    """

    def __init__(self, aws: Emulator, manifest: Manifest) -> None:
        self.aws, self.name, self.region, self.partition = aws, manifest.name, manifest.region, manifest.partition
        self.queue = manifest.suffixed("main")
        self.began = time.time()
        topics = {name.removesuffix(f"-{self.name}"): name for name in manifest.event_topics}
        self._inboxes = {topic: self._inbox(full) for topic, full in topics.items()}
        self.log_group = f"/aws/batch/{self.name}/sleeper"
        self.client("logs").create_log_group(logGroupName=self.log_group)
        container = {
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": self.log_group}},
            "image": "public.ecr.aws/docker/library/busybox:stable",
            "command": ["sleep", "600"],
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}],
        }
        self._definition = self.client("batch").register_job_definition(
            jobDefinitionName="sleeper", type="container", containerProperties=container
        )["jobDefinitionArn"]

    def client(self, service: str) -> Any:
        here: Any = boto3.Session(*CREDENTIALS, region_name=self.region)
        return here.client(service, endpoint_url=self.aws.endpoint)

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:123456789012:{resource}"

    def _inbox(self, topic: str) -> str:
        """Subscribe a queue to a topic, and return its URL."""
        sqs, arn = self.client("sqs"), self.arn("sns", topic)
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": self.arn("sqs", f"inbox-{topic}"),
            "Condition": {"ArnEquals": {"aws:SourceArn": arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        url: str = sqs.create_queue(QueueName=f"inbox-{topic}", Attributes={"Policy": policy})["QueueUrl"]
        self.client("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=statement["Resource"])
        return url

    def received(self, topic: str, count: int = 0) -> list[str]:
        """Return the new messages of a topic, and wait for so many."""
        sqs, found = self.client("sqs"), []

        def more() -> bool:
            answer = sqs.receive_message(QueueUrl=self._inboxes[topic], MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                sqs.delete_message(QueueUrl=self._inboxes[topic], ReceiptHandle=message["ReceiptHandle"])
                found.append(str(json.loads(message["Body"])["Message"]))
            return len(found) >= count

        wait_until(more)
        return found

    def submit(self, name: str, **changes: Any) -> str:
        batch = self.client("batch")
        job: str = batch.submit_job(jobName=name, jobQueue=self.queue, jobDefinition=self._definition, **changes)[
            "jobId"
        ]
        return job

    def wait_for(self, status: str, *jobs: str) -> None:
        batch = self.client("batch")
        wait_until(lambda: all(each["status"] == status for each in batch.describe_jobs(jobs=[*jobs])["jobs"]))

    def end_hosts(self) -> None:
        """End all instances of the environment, as EC2 does when it needs its Spot capacity."""
        batch = self.client("batch")
        batch.update_compute_environment(
            computeEnvironment=self.compute_environment()["computeEnvironmentName"],
            computeResources={"bidPercentage": 60},
            updatePolicy={"terminateJobsOnUpdate": True},
        )

    def compute_environment(self) -> Any:
        batch = self.client("batch")
        [queue] = batch.describe_job_queues(jobQueues=[self.queue])["jobQueues"]
        arns = [entry["computeEnvironment"] for entry in queue["computeEnvironmentOrder"]]
        [found] = batch.describe_compute_environments(computeEnvironments=arns)["computeEnvironments"]
        return found

    def rebuild(self) -> str:
        """Run the schedule of the image's rebuild now; return why it could not start the build."""
        name = f"batchImageRebuild-{self.name}"
        return self.aws.run_schedule(name, group=name, region=self.region)

    def count(self, hours: float, **jobs: float) -> None:
        """Put the counts of jobs that ended, as the function does for their events."""
        at = datetime.fromtimestamp(self.began + hours * HOUR, UTC)
        data = [
            {"MetricName": name, "Dimensions": self.dimensions, "Value": value, "Timestamp": at}
            for name, value in jobs.items()
        ]
        self.client("cloudwatch").put_metric_data(Namespace="gen-infra", MetricData=data)

    def measured(self, hours: float) -> None:
        """Run the function as its schedule does, so many hours after the start, and wait for its metrics."""
        at, name = self.began + hours * HOUR, "InvalidComputeEnvironments"
        self.aws.run_rule(f"batchMeasure-{self.name}", time=at, region=self.region)
        start, end = (datetime.fromtimestamp(at + seconds, UTC) for seconds in (-60, 60))
        window = {"StartTime": start, "EndTime": end, "Period": 60, "Statistics": ["Maximum"]}
        cloudwatch = self.client("cloudwatch")
        wait_until(
            lambda: cloudwatch.get_metric_statistics(
                Namespace="gen-infra", MetricName=name, Dimensions=self.dimensions, **window
            )["Datapoints"]
        )

    def remove(self) -> None:
        """Remove what this object made of the environment's own names."""
        self.client("logs").delete_log_group(logGroupName=self.log_group)

    def evaluated(self, hours: float) -> set[str]:
        """Evaluate the alarms so many hours after the start; return the names of those that changed."""
        return {*self.aws.evaluate_alarms(time=self.began + hours * HOUR, region=self.region)}

    @property
    def dimensions(self) -> list[dict[str, str]]:
        return [{"Name": "Environment", "Value": self.name}]

    def states(self) -> dict[str, str]:
        """Return the states of the environment's alarms, by name without the environment."""
        alarms = self.client("cloudwatch").describe_alarms()["MetricAlarms"]
        end = f"-{self.name}"
        return {
            each["AlarmName"].removesuffix(end): each["StateValue"]
            for each in alarms
            if each["AlarmName"].endswith(end)
        }
