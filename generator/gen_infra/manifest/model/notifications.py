"""E-mail notifications of an environment: about blocked queues, and by alarms of two severities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from msgspec import Meta

from gen_infra.manifest.model.base import EmailAddress, Model, about
from gen_infra.manifest.model.budget import Budget

if TYPE_CHECKING:
    from collections.abc import Mapping

AlarmSeverity: TypeAlias = Literal["critical", "warning"]

# The keys that ask for an alarm, and the severity that decides who is notified.
ALARM_SEVERITIES: Mapping[str, AlarmSeverity] = {
    "failed_jobs": "critical",
    "invalid_compute_environments": "critical",
    "dead_letters": "critical",
    "waiting_minutes": "warning",
    "spot_interruptions": "warning",
    "failed_image_builds": "warning",
    "image_age_days": "warning",
}

# The alarms of the keys that ask for one alarm each.
ALARMS: Mapping[str, str] = {
    "failed_jobs": "batchFailedJobs",
    "invalid_compute_environments": "batchInvalidComputeEnvironments",
    "waiting_minutes": "batchJobsWait",
    "spot_interruptions": "batchSpotInterruptions",
    "image_age_days": "batchImageAge",
}

# The alarms of which the function sends which jobs, compute environments or images they are about.
EXPLAINED_ALARMS = ("failed_jobs", "invalid_compute_environments", "waiting_minutes", "image_age_days")

WindowMinutes: TypeAlias = Annotated[int, Meta(ge=5, le=1440)]


class FailedJobs(Model, frozen=True, kw_only=True):
    """When many of the jobs that end have failed."""

    percent: Annotated[
        int, Meta(ge=1, le=100), about("Notify when this percentage of the jobs that ended in the window has failed.")
    ]
    window_minutes: Annotated[WindowMinutes, about("The window that the jobs are counted in.")] = 60
    at_least: Annotated[
        int, Meta(ge=1, le=100_000), about("Do not notify of fewer failed jobs than this, whatever the percentage.")
    ] = 5


class SpotInterruptions(Model, frozen=True, kw_only=True):
    """When Spot interruptions end many attempts of jobs."""

    attempts: Annotated[int, Meta(ge=1, le=100_000), about("Notify when this many attempts were lost in the window.")]
    window_minutes: Annotated[WindowMinutes, about("The window that the attempts are counted in.")] = 60


class Notifications(Model, frozen=True, kw_only=True):
    """E-mail notifications; each address confirms its subscription once, with the link in the first message."""

    blocked_queues: Annotated[
        tuple[EmailAddress, ...],
        about("E-mail addresses to notify when the job at the head of a queue cannot start and blocks the queue."),
    ] = ()
    critical: Annotated[
        tuple[EmailAddress, ...],
        about(
            "E-mail addresses for the alarms `failed_jobs`, `invalid_compute_environments` and `dead_letters`, when "
            "one fires and when it clears."
        ),
    ] = ()
    warning: Annotated[
        tuple[EmailAddress, ...],
        about(
            "E-mail addresses for the alarms `waiting_minutes`, `spot_interruptions`, `failed_image_builds` and "
            "`image_age_days`, when one fires and when it clears."
        ),
    ] = ()
    failed_jobs: Annotated[
        FailedJobs | None, about("An alarm when many jobs fail; its message has the causes of the failures.")
    ] = None
    waiting_minutes: Annotated[
        Annotated[int, Meta(ge=10, le=20_160)] | None,
        about(
            "An alarm when a job is RUNNABLE for longer than this; not while a compute environment is INVALID that "
            "`invalid_compute_environments` notifies of."
        ),
    ] = None
    invalid_compute_environments: Annotated[
        bool, about("An alarm when a compute environment of a queue is INVALID.")
    ] = False
    spot_interruptions: Annotated[
        SpotInterruptions | None, about("An alarm when Spot interruptions end many attempts of jobs.")
    ] = None
    failed_image_builds: Annotated[
        bool, about("An alarm when a build of `image.rebuild` fails or cannot be started.")
    ] = False
    image_age_days: Annotated[
        Annotated[int, Meta(ge=1, le=730)] | None,
        about("An alarm when a compute environment runs a machine image that is older than this."),
    ] = None
    dead_letters: Annotated[
        bool,
        about("An alarm when a function gives up an event, or an event rule cannot deliver one."),
    ] = False
    dashboard: Annotated[
        bool, about("A CloudWatch dashboard: jobs by queue and state, vCPUs, failures, Spot interruptions, image age.")
    ] = False

    def alarms(self, severity: AlarmSeverity) -> list[str]:
        """Return the keys of the alarms of a severity that the manifest asks for."""
        return [key for key, its in ALARM_SEVERITIES.items() if its == severity and getattr(self, key)]

    @property
    def severities(self) -> list[AlarmSeverity]:
        """Return the severities of which there are alarms, and so topics."""
        return [severity for severity in ("critical", "warning") if self.alarms(severity)]

    @property
    def measures(self) -> bool:
        """Return whether a function measures the environment, for alarms or for the dashboard."""
        return self.dashboard or bool(self.severities)

    budget: Annotated[Budget | None, about("What the environment may cost a month; default: no budget.")] = None
