"""Who is calling AWS, where, and with which clients.

Everything that boto3 reads from the environment counts as it does for the AWS CLI: credentials, profile, proxy, and
``AWS_ENDPOINT_URL``, which is how the emulator is reached.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from gen_infra import __version__
from gen_infra.aws.errors import LOOPBACK, aws_errors
from gen_infra.errors import UsageError

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config
    from mypy_boto3_batch import BatchClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_efs import EFSClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient


Json: TypeAlias = Mapping[str, Any]  # a part of an answer of AWS's

_SERVICES = {
    "alarms": "cloudwatch",
    "builds": "codebuild",
    "costs": "ce",
    "functions": "lambda",
    "groups": "resource-groups",
    "quotas": "service-quotas",
    "schedules": "scheduler",
    "secrets": "secretsmanager",
    "stacks": "cloudformation",
    "states": "stepfunctions",
    "trail": "cloudtrail",
}  # attribute -> service, where they differ


class Clients:
    """The boto3 clients of one region, each made when it is first used. Comes from :func:`clients`.

    Threads may share it: boto3's clients are thread-safe, and its session is used by one thread at a time.
    """

    region: str
    alarms: Any
    autoscaling: Any
    batch: BatchClient
    budgets: Any
    builds: Any
    costs: Any
    ec2: EC2Client
    ecr: ECRClient
    ecs: Any
    efs: EFSClient
    events: Any
    fsx: Any
    functions: LambdaClient
    groups: Any
    iam: IAMClient
    kms: KMSClient
    logs: CloudWatchLogsClient
    pricing: Any
    quotas: ServiceQuotasClient
    s3: S3Client
    schedules: Any
    secrets: SecretsManagerClient
    sns: Any
    sqs: SQSClient
    ssm: SSMClient
    stacks: Any
    states: Any
    sts: STSClient
    trail: Any

    def __init__(self, session: boto3.Session, config: Config, region: str) -> None:
        self.region = region
        self._session = session
        self._config = config
        self._making = threading.Lock()

    @property
    def are_local(self) -> bool:
        """Check whether EC2 answers on this machine: the emulator, then, or another that is like it."""
        return urlsplit(self.ec2.meta.endpoint_url).hostname in LOOPBACK

    if not TYPE_CHECKING:  # to a type checker the attributes above are all there is

        def __getattr__(self, attribute: str) -> Any:
            if attribute not in Clients.__annotations__:
                raise AttributeError(attribute)
            with self._making:
                if attribute not in self.__dict__:
                    service = _SERVICES.get(attribute, attribute)
                    setattr(self, attribute, self._session.client(service, config=self._config))
            return self.__dict__[attribute]


@dataclass(frozen=True, slots=True)
class Identity:
    """The owner of the credentials: the account id, the caller's ARN, and ``aws:userid`` of policies."""

    account: str
    arn: str
    user_id: str


@aws_errors()
def clients(region: str) -> Clients:
    """Make clients for ``region``; nothing is sent to AWS yet.

    Raises:
        MissingError: ``AWS_PROFILE`` names a profile that does not exist.
    """
    import boto3  # 150 ms that only commands that call AWS pay
    from botocore.config import Config

    config = Config(
        connect_timeout=5,  # seconds
        read_timeout=60,  # a function is invoked synchronously and may take that long
        retries={"mode": "standard", "total_max_attempts": 3},
        user_agent_extra=f"gen-infra/{__version__}",
    )
    return Clients(boto3.Session(region_name=region), config, region)


def configured_region() -> str | None:
    """Return the region of the caller's own settings, AWS_REGION or the profile's; None without one."""
    import boto3

    with aws_errors():
        return os.environ.get("AWS_REGION") or boto3.Session().region_name


@aws_errors()
def identity(clients: Clients) -> Identity:
    """Return the caller, as STS reports it; this call needs no permission."""
    answer = clients.sts.get_caller_identity()
    return Identity(answer["Account"], answer["Arn"], answer["UserId"])


def require_account(clients: Clients, expected: str) -> Identity:
    """Return the caller, if it belongs to the account ``expected``: a lost variable must not reach another account.

    Raises:
        UsageError: the credentials belong to another account; both are named.
        MissingError: there are no valid credentials.
        AwsError: AWS could not be reached.
    """
    caller = identity(clients)
    if caller.account != expected:
        raise UsageError(
            f"the manifest is for account {expected}, the credentials are for account {caller.account} ({caller.arn})",
            hint="set AWS_PROFILE to a profile of the right account, or AWS_ENDPOINT_URL to the emulator",
        )
    return caller
