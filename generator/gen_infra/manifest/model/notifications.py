"""E-mail notifications of an environment."""

from __future__ import annotations

from typing import Annotated

from gen_infra.manifest.model.base import EmailAddress, Model, about


class Notifications(Model, frozen=True, kw_only=True):
    """E-mail notifications; each address confirms its subscription once, with the link in the first message."""

    blocked_queues: Annotated[
        tuple[EmailAddress, ...],
        about("E-mail addresses to notify when the job at the head of a queue cannot start and blocks the queue."),
    ] = ()
