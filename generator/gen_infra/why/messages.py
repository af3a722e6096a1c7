"""Read what AWS reports about a container that did not start: what was being done, and how it failed.

One sentence may name several things: ECS fetches "secrets or registry auth" in one step, a path may hold the word log,
and an account number the digits of a status code. So the subject is found first, and then its failure; the first
pattern that is found decides. AWS Batch cuts its reasons at 255 characters: a pattern must not need a message's end.

The words: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html,
https://github.com/aws/amazon-ecs-agent (agent/dockerclient/dockerapi/errors.go, agent/api/errormessages),
https://github.com/moby/moby and https://github.com/opencontainers/runc.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_CUT_AT = 255  # characters of a reason
Subject = Literal["role", "login", "secret", "image", "log", "file system", "docker", "container"]
FailureKind = Literal["full", "platform", "throttled", "refused", "unreachable", "hidden", "absent", "denied", "other"]


def words(*patterns: str) -> re.Pattern[str]:
    """Compile alternatives that are whole words, in any case."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)", re.IGNORECASE)


SECRETS_OR_REGISTRY = words("unable to pull secrets or registry auth")
SUBJECTS: tuple[tuple[Subject, re.Pattern[str]], ...] = (
    (
        "role",
        words(
            r"was unable to assume (?:the |this )?(?:task |execution )?role",
            r"not authorized to perform: sts:AssumeRole",
        ),
    ),
    # repository_credentials name a secret, too
    (
        "login",
        words(
            r"registry auth from asm", r"asm fetching (?:secret from the service|authorization data|username|password)"
        ),
    ),
    (
        "secret",
        words(
            r"retrieve secrets? from (?:asm|ssm)",
            r"fetch(?:ing)? secrets? (?:data|from|arn:\S+|\S+ from)",
            r"secretsmanager:GetSecretValue",
            r"ssm:GetParameters?",
            r"did not contain json key",
            r"task secret data",
        ),
    ),
    (
        "image",
        words(
            r"CannotPull\w*Error",
            r"CannotGetRegistryAuth\w*",
            r"ecr registry auth",
            r"ecr:\w+",
            r"pull(?:ing)? (?:the )?image(?: manifest)?",
            r"pull access denied",
            r"failed to pull",
        ),
    ),
    (
        "log",
        words(
            r"(?:initiali[sz]e|create|start|configure) (?:the )?log(?:ging)? driver",
            r"no log driver named",
            r"validate logger args",
            r"Cloudwatch log (?:stream|group)",
            r"logs:(?:CreateLog(?:Stream|Group)|PutLogEvents)",
        ),
    ),
    (
        "file system",
        words(
            r"EFS utils",
            r"mount\.(?:nfs4?|efs)",
            r"(?:Cannot(?:Create|Inspect))?VolumeError:",
            r"error (?:while )?mounting",
            r"mounting \\*\"[^\"\\]+\\*\" to rootfs",
            r"(?:to set up|setting up) volumes?",
            r"bind source path does not exist",
            r"invalid mount config",
            r"invalid volume specification",
        ),
    ),
    ("docker", words(r"DockerTimeoutError", r"Could not transition to \w+; timed out")),
    (
        "container",
        words(
            r"Cannot(?:Start|Create|Inspect)ContainerError",
            r"OCI runtime (?:create|start) failed",
            r"runc create failed",
            r"failed to create (?:new container runtime task|task for container|shim task)",
            r"ContainerRuntime(?:Timeout)?Error",
        ),
    ),
)

FULL = words(
    r"no space left on device", r"disk quota exceeded", r"ENOSPC:",
    r"Thin Pool has \d+ free (?:meta)?data blocks",  # Docker's devicemapper
)  # fmt: skip

# As registries, Docker, containerd and AWS's services put it.
KINDS: tuple[tuple[FailureKind, re.Pattern[str]], ...] = (
    ("full", FULL),
    (
        "platform",
        words(
            r"does not (?:contain descriptor match|match)(?:ing)? (?:the )?platform",
            r"no match(?:ing manifest)? for (?:platform|linux/\w+|windows/\w+)",
            r"exec format error",
            r"image operating system",
        ),
    ),
    (
        "throttled",
        words(
            r"toomanyrequests",
            r"Too Many Requests",
            r"Throttling(?:Exception)?",
            r"ThrottledException",
            r"Rate exceeded",
            r"rate limit(?:ed)?",
            r"RequestLimitExceeded",
            r"API error \(429\)",
        ),
    ),
    (
        "refused",
        words(
            r"not authorized(?: to perform)?",
            r"denied: User",
            r"Check that the role has the permissions",
            r"AccessDenied(?:Exception)?",
            r"no basic auth credentials",
            r"no basic auth",
            r"unauthorized",
            r"40[13] (?:Unauthorized|Forbidden)",
            r"API error \(40[13]\)",
            r"status(?: code)?:? 40[13]",
            r"HTTP 40[13]",
        ),
    ),
    (
        "unreachable",
        words(
            r"i/o timeout",
            r"Client\.Timeout",
            r"(?:request|Request) ?cancel(?:l?ed)",
            r"connection (?:timed out|refused|reset)",
            r"no such host",
            r"no route to host",
            r"network is unreachable",
            r"server misbehaving",
            r"send request failed",
            r"failed to do request",
            r"dial tcp",
            r"deadline exceeded",
            r"TLS handshake timeout",
            r"check your (?:task )?network configuration",
            r"timed out",
            r"Failed to resolve \"fs-\w+",
            r"unable to (?:connect|reach)",
        ),
    ),
    # A registry that hides what a caller may not see: the image is not there, or private.
    ("hidden", words(r"pull access denied for", r"requested access to the resource is denied")),
    (
        "absent",
        words(
            r"not found",
            r"does(?: not|n't) exist",
            r"can(?:'t|not) find",
            r"\w*NotFound(?:Exception|Fault)?",
            r"manifest unknown",
            r"name unknown",
            r"invalid (?:ssm )?parameters",
            r"did not contain json key",
            r"API error \(404\)",
            r"no such file or directory",
        ),
    ),
    ("denied", words(r"denied", r"forbidden", r"not permitted", r"permission")),
)

PROGRAM = re.compile(r'exec:? (?P<program>\\?"[^"]*|/\S+)|executable file not found', re.IGNORECASE)
OVERRIDES = words(r"Container Overrides length must be at most \d+", r"(?<=: )argument list too long")
NOT_STARTED = words(r"Task failed to start")
HOST = words(r"Host EC2 \(instance i-[0-9a-f]+\)")
FARGATE_SPOT = words(r"Spot Task was interrupted")
TIMEOUT = words(r"attempt duration exceeded timeout")
DEPENDENCY = words(r"Dependent Job")
OOM_KILLED = r"OOMKilled(?!\"?\s*[:=]\s*\"?false)"
OUT_OF_MEMORY = words(r"OutOfMemoryError", r"killed due to memory usage", r"memory usage exceeded", OOM_KILLED)
NETWORK_INTERFACE = words(
    r"network interface provisioning", r"(?:Create|Attach) Network Interface", r"network interface to be attached",
    r"failed to configure ENI",
)  # fmt: skip

# Batch's own words for what blocks a queue's first job.
# https://docs.aws.amazon.com/batch/latest/userguide/job_stuck_in_runnable.html
STATE_LIMIT = words(r"Canceled by JobStateTimeLimit")
NO_INSTANCE_TYPE = words(r"MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT")
ABOVE_MAXIMUM = words(r"MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE")
SERVICE_ROLE = words(r"MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS")
INVALID_ENVIRONMENTS = words(r"ACTION_REQUIRED")
UNDETERMINED = words(r"(?-i:UNDETERMINED)", r"root cause is undetermined")

# Why a compute environment is INVALID.
# https://docs.aws.amazon.com/batch/latest/userguide/invalid_compute_environment.html
INVALID_CLUSTER = words(r"Clusters can ?not be blank", r"ClusterNotFoundException", r"Cluster not found")
INVALID_PROFILE = words(r"instance ?profile", r"IamInstanceProfile")
INVALID_TEMPLATE_ABSENT = words(r"launch template[^.]* does not exist", r"not authorized to use launch template")
INVALID_TEMPLATE = words(r"launch ?template", r"launch configuration")
INVALID_ROLE = words(
    r"sts:AssumeRole", r"assume (?:the |its )?(?:service )?role", r"not authorized", r"(?:service ?role|role arn:\S+)"
)
INVALID_NETWORK = words(r"security groups?", r"subnets?(?: id)?s?")

# Auto Scaling's messages about launches.
# https://docs.aws.amazon.com/autoscaling/ec2/userguide/CHAP_Troubleshooting.html
NO_CAPACITY = words(
    r"InsufficientInstanceCapacity",
    r"UnfulfillableCapacity",
    r"no Spot capacity available",
    r"capacity-not-available",
    r"do not have sufficient [^,;]*capacity",
    r"INSUFFICIENT_INSTANCE_CAPACITY",
    r"Capacity is unavailable at this time",
    r"capacity not available",
)
OVER_QUOTA = words(
    r"vcpu ?limit ?exceeded",
    r"MaxSpotInstanceCountExceeded",
    r"Max spot instance count exceeded",
    r"more vCPU capacity than your current",
    r"InstanceLimitExceeded",
)
PRICE_TOO_LOW = words(
    r"Spot request price [^,;]* lower than", r"SpotMaxPriceTooLow", r"price-too-low", r"max spot price [^,;]* less than"
)
KEY = words(
    r"Client error on launch", r"Client\.InvalidKMSKey\.\w+", r"Client\.InvalidKMSKey", r"KMSKeyNotAccessible\w*",
    r"kms:CreateGrant", r"InvalidKMSKey\.\w+",
)  # fmt: skip
UNSUPPORTED = words(
    r"EC2_INSTANCE_CONFIGURATION_UNSUPPORTED",
    r"not supported in your requested Availability Zone",
    r"requested configuration is currently not supported",
)
MACHINE_IMAGE = words(
    r"InvalidAMIID(?:\.\w+)?", r"image id [^.]*does not exist", r"not authorized for images", r"AMI [^.]*is disabled",
    r"AMI [^.]*invalid", r"does not match the architecture '\w+' of the specified AMI",
)  # fmt: skip
SPOT_ROLE = words(r"ServiceLinkedRoleCreationNotPermitted", r"create the service-linked role for EC2 Spot")
VOLUME_QUOTA = words(
    r"VolumeLimitExceeded",
    r"Volume limit exceeded",
    r"exceeded your maximum [\w ]*storage limit",
    r"MaxIOPSLimitExceeded",
)
NO_ADDRESSES = words(r"InsufficientFreeAddressesInSubnet", r"not enough free addresses")

# What programs print.
LOGGED_FULL = words(
    r"no space left on device", r"disk quota exceeded", r"ENOSPC:", r"Errno 28", r"database or disk is full"
)
LOGGED_HEAP = words(r"java\.lang\.OutOfMemoryError: (?:Java heap space|GC overhead limit exceeded)")
LOGGED_GPU_MEMORY = re.compile(
    r"\bOutOfMemoryError: CUDA out of memory|\bRuntimeError: CUDA (?:error: )?out of memory"
    r"|\bwhat\(\):\s+CUDA out of memory"
    r"|\b(?:RESOURCE_EXHAUSTED|Resource exhausted): Out of memory while trying to allocate"
    r"|\bResourceExhaustedError: .*OOM when allocating tensor.*\bGPU\b"
    r"|\b(?:cudaMalloc|cudaErrorMemoryAllocation)\b[^,;]*: out of memory"
)
LOGGED_SHARED_MEMORY = re.compile(
    r"\b(?:Unexpected bus error encountered in worker|is killed by signal: Bus error)|\bout of shared memory\b"
    r"|\binsufficient shared memory\b",
    re.IGNORECASE,
)
LOGGED_MEMORY = re.compile(
    r"\b(?:Out of memory: Kill|Cannot allocate memory|cannot allocate vector of size|std::bad_alloc"
    r"|insufficient memory for the Java Runtime Environment|Could not reserve enough space for (?:\d+KB )?object heap"
    r"|couldn't allocate memory|Failed to allocate sufficient memory|Failed (?:attempt )?to allocate \d+ ?bytes"
    r"|Allocation of [\d.]+ GB for \w+ failed"
    r"|memory allocation of \d+ bytes failed|mimalloc: error: unable to allocate|is killed by signal: Killed"
    r"|x(?:m|re)alloc: cannot allocate \d+ bytes|(?:Error|awk|grep|sed|sort|tar): memory exhausted"
    r"|virtual memory exhausted|Out of memory allocating)\b"
    r"|(?:^|(?<!CUDA )error: )(?:runtime: )?Out of memory(?:[.!]| in perl|$)|\[morecore\] insufficient memory"
    rf"|(?<!-)\boom-kill\b(?!-)|\b{OOM_KILLED}"
    r"|^(?:\w+\.)*_?(?:Array|Arrow)?MemoryError\b|\bline \d+:\s+\d+ Killed(?:\s\s|$)",
    re.IGNORECASE,
)
LOGGED_PLATFORM = words(r"exec format error")
LOGGED_PROGRAM = re.compile(
    r"(?:^|: )[\"'\u2018]?(?P<program>[^\s:\"'\u2018\u2019]+)[\"'\u2019]?: "
    r"(?:bad interpreter|command not found|not found|No such file or directory|Permission denied|cannot execute)"
    r"|\berror while loading shared libraries: (?P<library>[^\s:]+):"
    r"|\bexec (?P<executed>[^\s:]+) failed: No such file or directory",
    re.IGNORECASE,
)
LOGGED_REFUSAL = re.compile(
    r"\bis not authorized to perform: [\w-]+:\w+"
    r"|\((?:AccessDenied(?:Exception)?|403)\) when calling the \w+ operation"
    r"|\bError Code: AccessDenied\b|\bAccessDenied: Access Denied\b"
    r"|\bAccess Denied \(Service: \w+, Status Code: 403\b"  # AWS's SDK for Java 2
    r"|^PermissionError: (?:Access Denied|Forbidden)\b"  # s3fs
    r"|\bAWS Error ACCESS_DENIED\b"  # Arrow
    r"|\bs3://\S+(?: for reading)?\s?: Permission denied\b",  # htslib
    re.IGNORECASE,
)
LOGGED_NO_CREDENTIALS = re.compile(
    r"(?:^|error: |NoCredentialsError: )Unable to locate credentials(?:[.;]|$)"
    r"|\bUnable to load (?:AWS )?credentials from any (?:of the providers|provider) in the chain\b"
    r"|\bNoCredentialProviders: no valid providers in chain\b",
    re.IGNORECASE,
)

# An attempt that is made again is no failure yet.
LOGGED_UNREACHABLE = re.compile(
    r"^(?!.*\b(?:WARN(?:ING)?|DEBUG|retry(?:ing)?)\b).*?"
    r"(?:\bcurl: \([67]\) |\bcurl: \(28\) (?:Failed to connect to|Connection timed out|SSL connection timeout)"
    r"|\bfatal: unable to access '[^']*': (?:Could not resolve host|Failed to connect to)"  # git
    r"|\bunable to resolve host address ['\"\u2018]|\bwget: bad address '"  # GNU's wget and busybox's
    r"|\bjava\.net\.UnknownHostException: [\w-]+\.[\w.-]+"  # without a dot it is the container's own name
    r"|\bsocket\.gaierror: \[Errno -\d\]|<urlopen error \[Errno -\d\]"
    r"|\bMax retries exceeded with url: .*\b(?:NameResolution|NewConnection|ConnectTimeout)Error\b"
    r"|\b(?:Could not connect to the endpoint|Connect timeout on endpoint) URL: \"https?://"  # botocore
    r"|\bConnect to \S+:\d+ \[[^\]]*\] failed: (?:Network is unreachable|connect(?:ion)? timed out)"  # Java
    r"|\bCondaHTTPError: HTTP 000 CONNECTION FAILED\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """What failed, how, and AWS's own words for it."""

    subject: Subject
    kind: FailureKind
    reason: str


def read_failure(reason: str, *, secrets: bool) -> Failure | None:
    """Read one of Batch's reasons; None where it is not about a container's start.

    Args:
        reason: the words, perhaps cut.
        secrets: whether the job has secrets, for where the words leave it open what was fetched.
    """
    subject = next((name for name, pattern in SUBJECTS if pattern.search(reason)), None)
    if subject is None:
        if not SECRETS_OR_REGISTRY.search(reason):
            return None
        subject = "secret" if secrets else "image"
    return Failure(subject, read_kind(reason), reason)


def ends_cut(reason: str, word: str) -> bool:
    """Check whether the word may be incomplete, because it is the last one of a reason that AWS Batch has cut."""
    return len(reason) >= _CUT_AT and reason.endswith(word)


def read_kind(reason: str) -> FailureKind:
    """Read how it failed."""
    return next((name for name, pattern in KINDS if pattern.search(reason)), "other")
