"""Check volumes, images, logs, queues, state machines and networks."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from gen_infra.check.rules.rule import Accepted, Rule, rule, rule_beyond
from gen_infra.manifest.user_data import scripts_in
from gen_infra.terraform.job_definitions import at, containers
from gen_infra.terraform.policy_documents import listed
from gen_infra.terraform.source import Resource, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

_EBS = "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html"
_IMDS = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html"
_GROUPS = "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html"
_BATCH = "https://docs.aws.amazon.com/batch/latest/userguide/security-best-practices.html"


def _is_customer_key(key: Any) -> bool:
    return isinstance(key, Unknown) or (isinstance(key, str) and bool(key) and ":alias/aws/" not in f":{key}")


@rule(
    "GI_EC2_1",
    "aws_launch_template",
    severity="high",
    title="Every volume of an instance is encrypted with a customer-managed key",
    remedy="set encrypted = true and kms_key_id in each block_device_mappings",
    source=_EBS,
)
def volumes_are_encrypted(resource: Resource) -> Iterator[str]:
    """Check the volumes of launch templates, which checkov does not."""
    mappings = resource.values.get("block_device_mappings") or []
    if not mappings:
        yield "it sets no volumes, so the image and the account's defaults decide"
    for mapping in mappings:
        for volume in mapping.get("ebs") or []:
            device = mapping.get("device_name")
            if volume.get("encrypted") not in {True, "true"} and not isinstance(volume.get("encrypted"), Unknown):
                yield f"the volume {device} is not encrypted"
            elif not _is_customer_key(volume.get("kms_key_id")):
                yield f"the volume {device} is encrypted with the account's default key"


@rule(
    "GI_EC2_2",
    "aws_launch_template",
    severity="high",
    title="Instance metadata needs a token, and is reachable over one hop",
    remedy='set http_tokens = "required" and http_put_response_hop_limit = 1 in metadata_options',
    source=_IMDS,
)
def metadata_is_guarded(resource: Resource) -> Iterator[str]:
    """Require a token and one hop, so that jobs cannot use the instance's role through a proxy or a bridge."""
    options: dict[str, Any] = next(iter(resource.values.get("metadata_options") or []), {})
    if options.get("http_endpoint") == "disabled":
        return
    if not isinstance(options.get("http_tokens"), Unknown) and options.get("http_tokens") != "required":
        yield "IMDSv1 is allowed"
    if not isinstance(options.get("http_put_response_hop_limit"), Unknown | None) and (
        int(options["http_put_response_hop_limit"]) > 1
    ):
        yield "metadata is reachable over more than one hop"


@rule(
    "GI_EC2_3",
    "aws_launch_template",
    "aws_batch_compute_environment",
    severity="medium",
    title="Instances have no key pair",
    remedy="remove the key pair; Session Manager needs none",
    source=_BATCH,
)
def no_key_pair(resource: Resource) -> Iterator[str]:
    """Refuse key pairs: a private key is one more secret, and it never expires."""
    places = [resource.values, *(resource.values.get("compute_resources") or [])]
    # What was imported has an empty one.
    if any(place.get(key) not in (None, "") for place in places for key in ("key_name", "ec2_key_pair")):
        yield "it names a key pair"


@rule(
    "GI_EC2_4",
    "aws_batch_compute_environment",
    severity="medium",
    title="Instances use a launch template of the environment",
    remedy="add a launch_template block, which sets the encryption and the metadata options",
    source=_BATCH,
)
def instances_have_a_template(resource: Resource) -> Iterator[str]:
    """Require a launch template: without one, Batch's defaults decide on metadata and volumes."""
    for resources in resource.values.get("compute_resources") or []:
        if resources.get("type") in {"EC2", "SPOT"} and not resources.get("launch_template"):
            yield "it has no launch template"


@rule_beyond(
    "GI_EC2_5",
    "module",
    "aws_launch_template",
    severity="high",
    title="Instances run the manifest's scripts at boot, and the one with the ECS agent's options",
    remedy="remove the change of user_data; the manifest's scripts are in compute.….user_data",
    source="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-agent-config.html",
)
def user_data_is_as_rendered(resource: Resource, accepted: Accepted) -> Iterator[str]:
    """Compare the scripts by their hashes: without the agent's options, jobs may be privileged and read metadata."""
    expected = accepted.boot_scripts.get(resource.address.split(".aws_launch_template.")[0])
    value = resource.values.get("user_data")
    if expected is None or isinstance(value, Unknown):
        return
    found = [digest for _, digest in scripts_in(value)] if value else []
    if found != [*expected]:
        yield "its user data has other scripts"


@rule(
    "GI_NET_1",
    "aws_launch_template",
    "aws_batch_job_definition",
    severity="medium",
    title="Nothing has a public address",
    remedy="use private subnets with NAT or endpoints",
    source=_BATCH,
)
def no_public_address(resource: Resource) -> Iterator[str]:
    """Refuse public addresses: jobs make outgoing connections only."""
    for interface in resource.values.get("network_interfaces") or []:
        if interface.get("associate_public_ip_address") in {True, "true"}:
            yield "its instances get public addresses"
    for container in containers(resource.values):
        if at(container, "networkConfiguration", "assignPublicIp") == "ENABLED":
            yield "its containers get public addresses"


@rule(
    "GI_NET_2",
    "aws_security_group",
    "aws_security_group_rule",
    "aws_vpc_security_group_ingress_rule",
    "aws_default_security_group",
    severity="high",
    title="No ingress from everywhere",
    remedy="remove the ingress rule; AWS Batch's instances need none",
    source=_GROUPS,
)
def no_open_ingress(resource: Resource) -> Iterator[str]:
    """Check every port, IPv4 and IPv6; checkov checks four ports, and IPv6 only in some resources."""
    for ports in _rules(resource, "ingress"):
        if world := _world(ports):
            yield f"it allows ingress from {world} to {_ports(ports)}"


@rule(
    "GI_NET_3",
    "aws_security_group",
    "aws_security_group_rule",
    "aws_vpc_security_group_egress_rule",
    severity="medium",
    title="Egress to everywhere is limited to named ports",
    remedy="allow TCP 443, and other ports that are needed, instead of every port",
    source=_GROUPS,
)
def no_open_egress(resource: Resource) -> Iterator[str]:
    """Refuse ranges of ports, of which two make all: they can be used to extract data; checkov misses -1 here."""
    for ports in _rules(resource, "egress"):
        if (world := _world(ports)) and not _is_named_port(ports):
            yield f"it allows egress to {world} on {_ports(ports)}"


def _rules(resource: Resource, direction: str) -> Iterator[dict[str, Any]]:
    values = dict(resource.values)
    if resource.kind == "aws_security_group_rule":
        if values.get("type") == direction:
            yield values
    elif resource.kind.endswith("_rule"):
        if f"_{direction}_" in resource.kind:
            yield values
    else:
        for inline in listed(values.get(direction)):
            if isinstance(inline, dict):
                yield inline


def _world(ports: dict[str, Any]) -> str:
    """Return the first range that reaches beyond private networks and is no single network's, such as half of all."""
    names = ("cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6")
    ranges = [str(cidr) for name in names for cidr in listed(ports.get(name)) if isinstance(cidr, str)]
    return next((cidr for cidr in ranges if _is_wide(cidr)), "")


def _is_wide(cidr: str) -> bool:
    try:
        network = ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return True
    return not network.is_private and network.prefixlen < (16 if network.version == 4 else 48)


def _is_every_port(ports: dict[str, Any]) -> bool:
    protocol = ports.get("ip_protocol", ports.get("protocol"))
    first, last = ports.get("from_port"), ports.get("to_port")
    whole = isinstance(first, int) and isinstance(last, int) and first <= 1 and last >= 65535
    return str(protocol) in {"-1", "all"} or whole


def _is_named_port(ports: dict[str, Any]) -> bool:
    protocol = str(ports.get("ip_protocol", ports.get("protocol")))
    return protocol in {"tcp", "6"} and ports.get("from_port") == ports.get("to_port") is not None


def _ports(ports: dict[str, Any]) -> str:
    if _is_every_port(ports):
        return "every port"
    first, last = ports.get("from_port"), ports.get("to_port")
    return f"port {first}" if first == last else f"ports {first} to {last}"


@rule(
    "GI_ECR_1",
    "aws_ecr_repository",
    severity="medium",
    title="Container images are encrypted with a customer-managed key",
    remedy='set encryption_type = "KMS" and kms_key in encryption_configuration',
    source="https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html",
)
def images_are_encrypted(resource: Resource) -> Iterator[str]:
    """Require a customer-managed key; checkov requires KMS only, and AWS's own key passes."""
    configuration: dict[str, Any] = next(iter(resource.values.get("encryption_configuration") or []), {})
    if configuration.get("encryption_type") not in {"KMS", "KMS_DSSE"} or not _is_customer_key(
        configuration.get("kms_key")
    ):
        yield "it has no customer-managed key"


@rule(
    "GI_LOGS_1",
    "aws_cloudwatch_log_group",
    severity="medium",
    title="Logs are encrypted with a customer-managed key and expire",
    remedy="set kms_key_id and retention_in_days",
    source="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
)
def logs_are_kept_safe(resource: Resource) -> Iterator[str]:
    """Require a retention: without one, or with 0, logs are kept forever."""
    if not _is_customer_key(resource.values.get("kms_key_id")):
        yield "it has no customer-managed key"
    if resource.values.get("retention_in_days") in {None, 0}:
        yield "it keeps logs forever"


@rule(
    "GI_SQS_1",
    "aws_sqs_queue",
    severity="medium",
    title="Queues are encrypted with a customer-managed key",
    remedy="set kms_master_key_id",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html",
)
def queues_are_encrypted(resource: Resource) -> Iterator[str]:
    """Require a key: failed events contain the data of the requests."""
    if not _is_customer_key(resource.values.get("kms_master_key_id")):
        yield "it has no customer-managed key"


@rule(
    "GI_SFN_1",
    "aws_sfn_state_machine",
    severity="medium",
    title="Runs of workflows are encrypted with a customer-managed key",
    remedy='set type = "CUSTOMER_MANAGED_KMS_KEY" and kms_key_id in encryption_configuration',
    source="https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html",
)
def runs_are_encrypted(resource: Resource) -> Iterator[str]:
    """Require a key, which checkov does not: inputs and histories name samples and patients."""
    configuration: dict[str, Any] = next(iter(resource.values.get("encryption_configuration") or []), {})
    if configuration.get("type") != "CUSTOMER_MANAGED_KMS_KEY" or not _is_customer_key(configuration.get("kms_key_id")):
        yield "it has no customer-managed key"


@rule(
    "GI_SFN_2",
    "aws_sfn_state_machine",
    severity="medium",
    title="Every event of a run is logged",
    remedy='set level = "ALL" and log_destination in logging_configuration',
    source="https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html",
)
def runs_are_logged(resource: Resource) -> Iterator[str]:
    """Require all events and a log group: the service deletes its own history 90 days after a run."""
    configuration: dict[str, Any] = next(iter(resource.values.get("logging_configuration") or []), {})
    if not isinstance(configuration.get("level"), Unknown) and configuration.get("level") != "ALL":
        yield f"it logs {configuration.get('level') or 'nothing'}"
    elif not configuration.get("log_destination"):
        yield "its logs have no log group"


RULES: tuple[Rule, ...] = (
    volumes_are_encrypted,
    metadata_is_guarded,
    no_key_pair,
    instances_have_a_template,
    user_data_is_as_rendered,
    no_public_address,
    no_open_ingress,
    no_open_egress,
    images_are_encrypted,
    logs_are_kept_safe,
    queues_are_encrypted,
    runs_are_encrypted,
    runs_are_logged,
)
