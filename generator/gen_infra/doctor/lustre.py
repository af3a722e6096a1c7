"""The doctor on FSx for Lustre: whether the hosts can mount a file system, and how far from them it is.

https://docs.aws.amazon.com/fsx/latest/LustreGuide/limit-access-security-groups.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.doctor.account import check
from gen_infra.doctor.diagnosis import ok, warning, wrong
from gen_infra.doctor.network import find_network

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen_infra.aws.session import Clients, Json
    from gen_infra.doctor.diagnosis import Diagnosis
    from gen_infra.doctor.network import ById, ByTag

LUSTRE_PORTS = ((988, 988), (1018, 1023))
_SUBJECT = "file systems"
_USABLE = {"AVAILABLE", "UPDATING", "MISCONFIGURED"}


@check(_SUBJECT, "fsx")
def lustre(clients: Clients, id_: str, mount_name: str, network: ById | ByTag | None) -> Iterator[Diagnosis]:
    """Check an FSx for Lustre file system.

    Args:
        clients: of its region.
        id_: its id.
        mount_name: what the manifest says it is mounted by.
        network: where instances run; None: a network that gen-infra creates.
    """
    try:
        [found] = clients.fsx.describe_file_systems(FileSystemIds=[id_])["FileSystems"]
    except clients.fsx.exceptions.FileSystemNotFound:
        advice = "correct its id, or create the file system"
        yield wrong(_SUBJECT, f"{id_} does not exist in {clients.region}", advice)
        return
    kind, state = found.get("FileSystemType", ""), found.get("Lifecycle", "AVAILABLE")
    actual = (found.get("LustreConfiguration") or {}).get("MountName", "")
    if kind != "LUSTRE":
        yield wrong(_SUBJECT, f"{id_} is FSx of type {kind}", "name an FSx for Lustre file system")
        return
    if state not in _USABLE:
        yield wrong(_SUBJECT, f"{id_} is {state}", "wait for it, or name another one")
    elif actual != mount_name:
        yield wrong(_SUBJECT, f'the mount name of {id_} is "{actual}", not "{mount_name}"', f"set mount_name: {actual}")
    else:
        yield ok(_SUBJECT, f"{id_} as {mount_name}")
    yield from _ports(clients, id_, found.get("NetworkInterfaceIds", ()))
    if network:
        yield from _places(clients, id_, found.get("SubnetIds", ()), find_network(clients, network).subnets)


def _ports(clients: Clients, id_: str, interfaces: Sequence[str]) -> Iterator[Diagnosis]:
    """Check whether its security groups let Lustre clients in."""
    if not interfaces:
        return
    described = clients.ec2.describe_network_interfaces(NetworkInterfaceIds=list(interfaces))["NetworkInterfaces"]
    ids = sorted({group["GroupId"] for each in described for group in each["Groups"]})
    groups = clients.ec2.describe_security_groups(GroupIds=ids)["SecurityGroups"]
    rules = [rule for group in groups for rule in group.get("IpPermissions", ())]
    closed = [ports for ports in LUSTRE_PORTS if not any(_opens(rule, ports) for rule in rules)]
    if closed:
        names = " and ".join(f"{low}-{high}" if low != high else str(low) for low, high in closed)
        yield wrong(
            _SUBJECT,
            f"{id_}: its security groups ({', '.join(ids)}) do not let clients in on TCP port {names}",
            "let the instances' security group in on ports 988 and 1018-1023, and the file system's to the instances",
        )


def _opens(rule: Json, ports: tuple[int, int]) -> bool:
    if rule.get("IpProtocol") == "-1":
        return True
    return rule.get("IpProtocol") == "tcp" and rule["FromPort"] <= ports[0] and ports[1] <= rule["ToPort"]


def _places(clients: Clients, id_: str, own: Sequence[str], subnets: Sequence[Json]) -> Iterator[Diagnosis]:
    """Compare VPC and zone with those of the instances: a file system is in one zone."""
    found = clients.ec2.describe_subnets(SubnetIds=list(own))["Subnets"] if own else []
    vpcs, own_vpcs = ({each["VpcId"] for each in some} for some in (subnets, found))
    zones, own_zones = ({each["AvailabilityZone"] for each in some} for some in (subnets, found))
    if not subnets or not found:
        return
    if vpcs != own_vpcs:
        message = f"{id_} is in {', '.join(sorted(own_vpcs))}, and instances run in {', '.join(sorted(vpcs))}"
        yield warning(_SUBJECT, message, "connect the VPCs, or name a file system of the instances' VPC")
    if zones - own_zones:
        message = f"{id_} is in {', '.join(sorted(own_zones))}, and instances run in {', '.join(sorted(zones))}"
        yield warning(_SUBJECT, message, "use subnets of its zone: traffic between zones is slower, and costs")
