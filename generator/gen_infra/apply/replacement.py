"""Replaces compute environments without losing a job.

Terraform works in the right order: it creates the successor and waits until it is VALID, points the queues to it, and
only then disables the old compute environment. But it deletes that at once, with the jobs that still run there. This
module adds what is missing:

1. *hold*: each compute environment that is to be deleted gets a disabled queue of its own, so that AWS refuses to
   delete it;
2. *apply*: Terraform carries out the plan, up to that refusal. The state stays consistent: the next plan still
   deletes the old compute environment;
3. *drain*: the old compute environment accepts no more jobs; wait until those that run there have ended;
4. *finish*: delete the holding queue and let Terraform carry out the rest, which is only deletions.

If the switch fails when some queues are pointed to the successor and some are not, the queues are pointed back; the
same if the successor becomes INVALID meanwhile. The same command resumes from any point.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol

from gen_infra.aws import compute_environments as environments
from gen_infra.aws.retry import Retry
from gen_infra.errors import AnswerIsNoError, AwsError, GenInfraError, UsageError
from gen_infra.terraform.messages import TerraformError, failure
from gen_infra.tools.process import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from gen_infra.aws.compute_environments import ComputeEnvironmentState, Orders, RunningJob
    from gen_infra.aws.session import Clients
    from gen_infra.terraform.messages import Event
    from gen_infra.terraform.saved_plan import Plan
    from gen_infra.tools.diagnostics import Diagnostic
    from gen_infra.tools.process import Progress

_LOOK_AGAIN_SECONDS = (1.0, 15.0)  # soon after a change, then less often
_REPORT_AGAIN_SECONDS = 60.0
_DELETE_ATTEMPTS = (
    6  # attempts, because a queue keeps its compute environment for some time after AWS reports it deleted
)
_DELETE_AGAIN_SECONDS = 10.0
_ABOUT_TARGETS = {"Resource targeting is in effect", "Applied changes may be incomplete"}
_REFUSAL = "found existing JobQueue relationship"


@dataclass(frozen=True, slots=True)
class Draining:
    """What happens to jobs that run on a compute environment that is to be deleted.

    Args:
        timeout: seconds to wait for them; None waits until they end.
        may_end_jobs: whether they are then terminated, and retried where their retry strategy says so.
    """

    timeout: float | None = None
    may_end_jobs: bool = False

    @property
    def is_off(self) -> bool:
        """Return whether jobs are not waited for at all."""
        return self.may_end_jobs and self.timeout == 0


class Steps(Protocol):
    """What a replacement needs of Terraform."""

    def apply(self, plan: Plan, /) -> None:
        """Carry out a plan."""

    def plan_again(self, only: tuple[str, ...], /) -> Plan:
        """Plan what is left; only at these addresses, if there are any."""


@dataclass(frozen=True)
class Replacement:
    """One run; `carry_out` is the story.

    Args:
        shown: the plan that the user confirmed.
        steps: Terraform.
        clients: where the environments are.
        environment: the environment's name, such as ``prod``.
        tags: those of holding queues.
        draining: what becomes of jobs.
        progress: receives lines of progress.
        wait: sleeps for a number of seconds.
        clock: seconds that only increase.
        queues: the names of the environment's queues that do not end in its name.
    """

    shown: Plan
    steps: Steps
    clients: Clients
    environment: str
    tags: Mapping[str, str]
    draining: Draining
    progress: Progress
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    queues: Collection[str] = ()

    def carry_out(self) -> None:
        """Apply the plan without losing a job.

        Raises:
            AnswerIsNoError: jobs still run after the time that the user wanted to wait.
            StoppedError: Ctrl-C, at any time.
            AwsError: a successor became INVALID; the queues are pointed back.
            GenInfraError: Terraform failed; queues that were pointed away too soon are pointed back.
        """
        try:
            self._carry_out()
        except KeyboardInterrupt:
            raise StoppedError(
                "stopped between two runs of Terraform", hint="run the same command again to resume"
            ) from None

    def _carry_out(self) -> None:
        before = environments.queue_orders(self.clients)
        held = self._hold(before)
        try:
            is_done = self._switch()
        except (GenInfraError, KeyboardInterrupt) as error:
            if failed := _without_refusals(error, self._going):
                self._point_back(before)
                raise failed from None
            is_done = False
        if not is_done:
            self._drain(held, before)
            self._finish(held)

    def _switch(self) -> bool:
        """Apply the plan, up to what waits for jobs to end; return whether nothing is left of it.

        Terraform's state no longer says what an environment that an earlier run replaced depends on, such as its
        service role. Whatever else the plan deletes then waits until the environment is deleted.
        """
        content = self.shown.content
        if not (content.has_replaced_environment and content.deletes_more_than_environments):
            self.steps.apply(self.shown)
            return True
        if changed := content.addresses_that_stay:
            self.steps.apply(self._plan_rest(changed))
        return False

    # --- hold ---------------------------------------------------------------------------------------------------------

    def _hold(self, orders: Orders) -> list[ComputeEnvironmentState]:
        """Hold what is to be deleted and may have jobs; release what an earlier plan held."""
        going = environments.compute_environments(self.clients, self._going)
        held = [] if self.draining.is_off else [each for each in going.values() if self._is_in_use(each, orders)]
        kept = {environments.holding_queue(each.name) for each in held}
        for queue in environments.holds(orders, self.environment, self._going):
            if queue not in kept:
                environments.release(self.clients, queue, self.wait)
        for each in held:
            environments.hold(self.clients, each, self.tags, self.wait)
        return held

    def _is_in_use(self, environment: ComputeEnvironmentState, orders: Orders) -> bool:
        """Return whether jobs run there, or may start there before its queues are pointed away.

        Raises:
            UsageError: jobs run there, and it cannot be held for them: AWS refuses an INVALID environment in a queue.
        """
        can_be_held = environment.status in {"VALID", "UPDATING"}
        queues = self._queues_of(orders, {environment.arn})
        if queues and environment.takes_jobs:
            return True
        jobs = environments.jobs_on(self.clients, environment, self._own_queues(orders))
        if jobs and not can_be_held and not self.draining.may_end_jobs:
            raise UsageError(
                f"{environment.name} is {environment.status}, so deleting it would terminate its jobs: {_names(jobs)}",
                hint="wait for these jobs, or add --allow stop-jobs to terminate them",
            )
        return bool(jobs) and can_be_held

    def _queues_of(self, orders: Orders, arns: Collection[str]) -> list[str]:
        """Return the queues that use one of these compute environments, without those that only hold it."""
        holding = environments.holds(orders, self.environment, self._going)
        return [queue for queue, order in orders.items() if queue not in holding and not set(arns).isdisjoint(order)]

    def _own_queues(self, orders: Orders) -> list[str]:
        """Return the queues that jobs on this environment's compute environments come from."""
        return [queue for queue in orders if queue.endswith(f"-{self.environment}") or queue in self.queues]

    # --- a switch that fails ------------------------------------------------------------------------------------------

    def _point_back(self, before: Orders) -> None:
        """Point queues back if some were pointed away from an old compute environment and some were not."""
        names = self._going
        going = {arn for order in before.values() for arn in order if arn.rpartition("/")[2] in names}
        affected = self._queues_of(before, going)
        if not affected:
            return
        try:
            now = environments.queue_orders(self.clients)
            moved = [queue for queue in affected if queue in now and going.isdisjoint(now[queue])]
            if not moved or len(moved) == len(affected):
                return
            for queue in moved:
                environments.point(self.clients, queue, before[queue], self.wait)
        except GenInfraError as error:
            self.progress(f"some queues may be pointed to a new compute environment and some not: {error.message}")
        else:
            self.progress(f"pointed back to where they were: {', '.join(moved)}")

    # --- drain --------------------------------------------------------------------------------------------------------

    def _drain(self, held: list[ComputeEnvironmentState], before: Orders) -> None:
        """Wait until no job runs on any of these; report changes at once, and the rest every minute."""
        aws, start = Retry(clock=self.clock), self.clock()
        reported: tuple[object, float] = (None, start)
        shortest, longest = _LOOK_AGAIN_SECONDS
        delay, quiet = shortest, 0
        try:
            while held:
                found = aws.call(partial(self._look, held, before))
                if found is not None:
                    quiet = 0 if any(found.values()) else quiet + 1
                    if found != reported[0]:
                        delay = shortest
                    if found != reported[0] or self.clock() - reported[1] >= _REPORT_AGAIN_SECONDS:
                        reported = (found, self.clock())
                        self._report(found)
                    # twice, because Batch may have been about to place one
                    if quiet == 2 or (not quiet and self._is_over(start, found)):
                        return
                self.wait(delay)
                delay = min(delay * 1.5, longest)
        except KeyboardInterrupt:
            names = ", ".join(each.name for each in held)
            raise StoppedError(
                f"stopped while waiting for jobs on {names}, which accepts no new ones",
                hint="run the same command again to continue waiting",
            ) from None

    def _look(self, held: list[ComputeEnvironmentState], before: Orders) -> dict[str, list[RunningJob]]:
        """Return the jobs on each; first check that the successors still work."""
        orders = environments.queue_orders(self.clients)
        self._require_successors(held, before, orders)
        return {each.name: environments.jobs_on(self.clients, each, self._own_queues(orders)) for each in held}

    def _require_successors(self, held: list[ComputeEnvironmentState], before: Orders, orders: Orders) -> None:
        """Point queues back to VALID predecessors where every successor is INVALID.

        Raises:
            AwsError: that was needed; the message says what is wrong with the successor.
        """
        queues = [queue for queue in self._queues_of(before, {each.arn for each in held}) if queue in orders]
        arns = {arn for queue in queues for arn in (*orders[queue], *before[queue])}
        found = environments.compute_environments(self.clients, arns)

        def all_are(status: str, order: Iterable[str]) -> bool:
            return all(arn in found and found[arn].status == status for arn in order)

        lost = [queue for queue in queues if all_are("INVALID", orders[queue]) and all_are("VALID", before[queue])]
        if not lost:
            return
        for each in held:
            environments.enable(self.clients, each)
        for queue in lost:
            environments.point(self.clients, queue, before[queue], self.wait)
        successor = found[orders[lost[0]][0]]
        raise AwsError(
            f"{successor.name} has become INVALID: {successor.reason or 'AWS gives no reason'}; "
            f"pointed back to the old compute environment: {', '.join(lost)}",
            hint="fix that, then run the same command again",
        )

    def _is_over(self, start: float, found: Mapping[str, list[RunningJob]]) -> bool:
        """Return whether the time is over, and the jobs may be terminated.

        Raises:
            AnswerIsNoError: they may not.
        """
        timeout = self.draining.timeout
        if timeout is None or self.clock() - start < timeout:
            return False
        if self.draining.may_end_jobs:
            self.progress("the time is over: these jobs are terminated, and retried where their retry strategy says so")
            return True
        running = "; ".join(f"{name}: {_names(jobs)}" for name, jobs in found.items() if jobs)
        raise AnswerIsNoError(
            f"jobs still run on a compute environment that is to be deleted; it accepts no new ones: {running}",
            hint="run the same command again to continue waiting; --drain-timeout 0 --allow stop-jobs terminates them "
            "(they are retried where their retry strategy says so)",
        )

    def _report(self, found: Mapping[str, list[RunningJob]]) -> None:
        for name, jobs in found.items():
            self.progress(f"  {name} accepts no more jobs; {_waits(jobs) if jobs else 'none runs there any more'}")

    # --- finish -------------------------------------------------------------------------------------------------------

    def _finish(self, held: list[ComputeEnvironmentState]) -> None:
        """Release what was held, and carry out what is left of the plan: deletions.

        The compute environments first: one that loses its service role before it is deleted stays in DELETING.

        Raises:
            UsageError: a new plan would change something that the user has not seen.
        """
        for each in held:
            environments.release(self.clients, environments.holding_queue(each.name), self.wait)
        self._carry_out_rest(only=tuple(self._going.values()))
        if self.shown.content.deletes_more_than_environments:
            self._carry_out_rest()

    def _carry_out_rest(self, only: tuple[str, ...] = ()) -> None:
        """Plan and apply, only at these addresses if there are any; repeat while a queue still has them."""
        for left in reversed(range(_DELETE_ATTEMPTS)):
            rest = self._plan_rest(only)
            if not rest.content.has_changes:
                return
            try:
                self.steps.apply(rest)
            except TerraformError as error:
                if others := _without_refusals(error, self._going):
                    raise others from None
                if not left:
                    raise (self._still_in_a_queue() or error) from None
                self.progress("the old compute environment is still in a queue; trying again")
                self.wait(_DELETE_AGAIN_SECONDS)
            else:
                return

    def _still_in_a_queue(self) -> AwsError | None:
        """Explain that another queue uses what is to be deleted, if that is why it fails."""
        going = environments.compute_environments(self.clients, self._going)
        queues = self._queues_of(environments.queue_orders(self.clients), {each.arn for each in going.values()})
        if not queues:
            return None
        return AwsError(
            f"AWS does not delete {', '.join(going)}, which is still in {', '.join(queues)}",
            hint="remove it from these queues, then run the same command again",
        )

    def _plan_rest(self, only: tuple[str, ...]) -> Plan:
        rest = self.steps.plan_again(only)
        if not rest.content.is_part_of(self.shown.content):
            raise UsageError(
                "the environment has changed meanwhile: a new plan would do more than the plan that was shown",
                hint="run the same command again, and read the new plan",
            )
        return rest

    @property
    def _going(self) -> dict[str, str]:
        """Return the compute environments that the plan deletes: full name to address."""
        return self.shown.content.deleted_environments


def without_expected_failures(on_event: Callable[[Event], None], addresses: Collection[str]) -> Callable[[Event], None]:
    """Forward all events but the failures at these addresses, which are intended, and warnings about targeting."""

    def forward(event: Event) -> None:
        refused = event.phase == "errored" and event.address in addresses
        targeted = event.diagnostic is not None and event.diagnostic.summary in _ABOUT_TARGETS
        if not refused and not targeted:
            on_event(event)

    return forward


def _without_refusals(error: BaseException, going: Collection[str]) -> BaseException | None:
    """Return the error without AWS's refusals to delete what is in a queue; None if it was nothing else."""
    if not isinstance(error, TerraformError):
        return error
    errors = [each for each in error.diagnostics if each.severity == "error"]
    others = [each for each in errors if not _is_refusal(each, going)]
    if len(others) == len(errors) or error.cause == "state-not-saved":  # its hint names the place of the state
        return error
    return failure("terraform apply", others) if others else None


def _is_refusal(diagnostic: Diagnostic, going: Collection[str]) -> bool:
    return _REFUSAL in diagnostic.message and any(f"({name})" in diagnostic.message for name in going)


def _waits(jobs: Iterable[RunningJob]) -> str:
    """Return text such as ``waits for isaac (2), strelka, the longest since Sep 30 09:41 UTC``."""
    started = [job.started for job in jobs if job.started]
    since = f", the longest since {datetime.fromtimestamp(min(started), UTC):%b %d %H:%M} UTC" if started else ""
    return f"waits for {_names(jobs)}{since}"


def _names(jobs: Iterable[RunningJob]) -> str:
    """Return text such as ``isaac (2), strelka``."""
    counts = Counter(job.name for job in jobs)
    return ", ".join(f"{name} ({count})" if count > 1 else name for name, count in counts.items())
