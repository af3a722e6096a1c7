"""How Packer reaches the instance that it builds an image on: in AWS, and on the embedded AWS."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from gen_infra.image import session_manager

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_infra.aws.session import Clients
    from gen_infra.image import Connection
    from gen_infra.tools.process import Progress


def connection_for(clients: Clients) -> Connection:
    """Choose the connection: Session Manager, but a sandbox on this machine where AWS is an emulator."""
    return _sandbox if clients.are_local else session_manager


@contextmanager
def _sandbox(progress: Progress) -> Iterator[Mapping[str, str]]:
    from gen_infra.emulator.builder_host import builder_host

    progress("this AWS starts no instances: packer works in a sandbox, which takes minutes to create the first time")
    with builder_host() as host:
        yield {
            "ssh_host": host.address,
            "ssh_port": str(host.port),
            "ssh_private_key_file": str(host.private_key_file),
        }
