"""Rules for ``notifications``: each alarm reaches a recipient, and watches something that exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.manifest.model.notifications import ALARM_SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

_PATH = ("notifications",)


def alarms_have_recipients(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require addresses of an alarm's severity: an alarm without them changes a color in a console."""
    notifications = manifest.notifications
    for severity in notifications.severities:
        if not getattr(notifications, severity):
            for key in notifications.alarms(severity):
                yield (*_PATH, key), f"needs an e-mail address in notifications.{severity}"


def recipients_have_alarms(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require an alarm for addresses: nothing would ever be sent to them."""
    notifications = manifest.notifications
    for severity in ("critical", "warning"):
        if getattr(notifications, severity) and severity not in notifications.severities:
            keys = [key for key, its in ALARM_SEVERITIES.items() if its == severity]
            yield (*_PATH, severity), f"has no alarm; add one or more of {', '.join(keys)}"


def alarms_watch_what_exists(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse alarms about images, Spot and rebuilds in an environment that has none."""
    notifications = manifest.notifications
    if notifications.failed_image_builds and not manifest.image.rebuild:
        yield (*_PATH, "failed_image_builds"), "needs image.rebuild, whose builds can fail"
    if notifications.image_age_days and not manifest.uses_ec2:
        yield (*_PATH, "image_age_days"), "no compute environment has instances, so there is no image that gets old"
    if notifications.spot_interruptions and not any("SPOT" in each.type for each in manifest.compute.values()):
        yield (*_PATH, "spot_interruptions"), "no compute environment runs on Spot"


ERRORS: tuple[ManifestRule, ...] = (
    alarms_have_recipients,
    recipients_have_alarms,
    alarms_watch_what_exists,
)
