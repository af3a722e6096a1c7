"""List what exists in the account, by the table of resource types: names, ids, tags, and what it costs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from gen_infra.aws.errors import aws_errors, error_code
from gen_infra.aws.kinds import KINDS, Listing, Objects, Part
from gen_infra.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gen_infra.aws.session import Clients, Json

_SIDE_BY_SIDE = 8  # listings


@dataclass(frozen=True, slots=True)
class AwsResource:
    """One resource in the account.

    Attributes:
        label: such as ``job queue``.
        name: its name, or its ARN or URL where AWS lists those.
        type: its Terraform type.
        id: what ``terraform import`` takes, where AWS assigns it; else empty.
        members: AWS's own object, where the listing gives one.
    """

    label: str
    name: str
    type: str
    id: str = ""
    members: Json = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return f"{self.label} {self.name}"

    @property
    def tags(self) -> dict[str, str]:
        """Return its tags; services write them in three ways."""
        tags = self.members.get("Tags") or self.members.get("tags") or {}
        if isinstance(tags, dict):
            return tags
        return {tag.get("Key") or tag.get("TagKey", ""): tag.get("Value") or tag.get("TagValue", "") for tag in tags}

    def member(self, path: str) -> Any:
        """Return a member of the object, with dots between levels; of a list, its first item counts; None without."""
        value: Any = self.members
        for key in path.split("."):
            if isinstance(value, list):
                value = value[0] if value else None
            value = value.get(key) if isinstance(value, dict) else None
        return value


@aws_errors()
def inventory(clients: Clients, part: Part) -> list[AwsResource]:
    """List every resource in the account and region of the types that this part of an environment has, sorted.

    Also those that were made outside Terraform. A key that waits for its deletion does not count, because KMS deletes
    none at once.
    """
    return _sorted(listed(clients, type_, listing) for type_, listing in _listings(part))


def visible_inventory(clients: Clients, *parts: Part) -> list[AwsResource]:
    """List the same for several parts, but leave out what AWS does not list for the caller now."""
    return listed_if_possible(clients, {type_: row for part in parts for type_, row in _listings(part)}.items())


def listed_if_possible(clients: Clients, listings: Iterable[tuple[str, Listing]]) -> list[AwsResource]:
    """List types side by side, sorted; leave out what AWS does not list for the caller now.

    Args:
        clients: where to look.
        listings: each type with the call that lists it.
    """

    def attempt(listing: tuple[str, Listing]) -> list[AwsResource]:
        try:
            with aws_errors():
                return list(listed(clients, *listing))
        except AwsError:
            return []

    with ThreadPoolExecutor(max_workers=_SIDE_BY_SIDE) as pool:
        return _sorted(pool.map(attempt, listings))


def listed(clients: Clients, type_: str, listing: Listing) -> Iterator[AwsResource]:
    """List the resources of a type, with one call or its pages."""
    label = KINDS[type_].label
    if not isinstance(listing.names, Objects):
        yield from (AwsResource(label, name, type_) for name in _pages(clients, listing, listing.names))
        return
    for members in _READERS.get(type_, _objects)(clients, listing):
        with suppress(KeyError):  # without an id it cannot be the environment's
            resource = AwsResource(label, "", type_, listing.names.id.format_map(members), members)
            name = resource.member(listing.names.name) if listing.names.name else resource.tags.get("Name")
            yield AwsResource(label, name or "", type_, resource.id, members)


def _sorted(found: Iterable[Iterable[AwsResource]]) -> list[AwsResource]:
    return sorted(chain.from_iterable(found), key=lambda each: (each.label, each.name, each.id))


def _listings(part: Part) -> Iterator[tuple[str, Listing]]:
    """Yield the types that are listed for this part."""
    for type_, kind in KINDS.items():
        if isinstance(kind.listing, Listing) and part in kind.listing.parts:
            yield type_, kind.listing


def _pages(clients: Clients, listing: Listing, path: str) -> Iterator[Any]:
    paginator = getattr(clients, listing.client).get_paginator(listing.operation)
    for item in paginator.paginate(**listing.arguments).search(path):
        if item is not None:  # JMESPath's result for a page without resources
            yield item


def _objects(clients: Clients, listing: Listing) -> Iterator[Json]:
    path = listing.names.path if isinstance(listing.names, Objects) else listing.names
    return _pages(clients, listing, path)


def _addresses(clients: Clients, _: Listing) -> Iterator[Json]:
    """Yield the Elastic IP addresses, which EC2 lists without pages."""
    yield from (dict(address) for address in clients.ec2.describe_addresses().get("Addresses", ()))


def _keys(clients: Clients, listing: Listing) -> Iterator[Json]:
    """Yield the customer managed keys that are not about to be deleted, with ``<id>/<last word of the description>``.

    That is where an environment's key carries its name: an alias can be lost while the key stays, and costs.
    """
    for entry in _objects(clients, listing):
        described: Json | None = _unless_denied(partial(clients.kms.describe_key, KeyId=entry.get("KeyId", "")))
        if described is None:
            continue  # its own policy shuts the caller out; an environment's key admits the whole account
        key = described.get("KeyMetadata", {})
        if key.get("KeyManager") == "CUSTOMER" and key.get("KeyState") != "PendingDeletion":
            answer = _unless_denied(partial(clients.kms.list_resource_tags, KeyId=key["KeyId"])) or {}
            name = f"{key['KeyId']}/{key.get('Description', '').rpartition(' ')[2]}"
            yield {**key, "Name": name, "Tags": answer.get("Tags", [])}


def _unless_denied(call: Callable[[], Any]) -> Any:
    """Make a call to KMS; None without the permission."""
    from botocore.exceptions import ClientError

    try:
        return call()
    except ClientError as error:
        if error_code(error) != "AccessDeniedException":
            raise
        return None


def _routes(clients: Clients, listing: Listing) -> Iterator[Json]:
    """Yield the IPv4 routes of each route table."""
    for table in _objects(clients, listing):
        for route in table.get("Routes", ()):
            yield {**route, "RouteTableId": table.get("RouteTableId", "")}


def _mount_targets(clients: Clients, listing: Listing) -> Iterator[Json]:
    """Yield the mount targets of each file system that has any."""
    for file_system in _objects(clients, listing):
        if file_system.get("NumberOfMountTargets"):
            pages = clients.efs.get_paginator("describe_mount_targets")
            for page in pages.paginate(FileSystemId=file_system["FileSystemId"]):
                yield from (dict(target) for target in page["MountTargets"])


_READERS: dict[str, Callable[[Clients, Listing], Iterator[Json]]] = {
    "aws_efs_mount_target": _mount_targets,
    "aws_eip": _addresses,
    "aws_kms_key": _keys,
    "aws_route": _routes,
}
