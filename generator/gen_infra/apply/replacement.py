"""Compute environments give way to others, and no job is lost.

Terraform does it in the right order: the successor is made and VALID before a queue is pointed to it, and only then is
the predecessor disabled. But it deletes the predecessor at once, and the jobs that still run there with it. What is
missing is told here, in the order in which it happens:

1. *hold*: each environment that is to go gets a disabled queue of its own, so that AWS refuses to delete it;
2. *apply*: Terraform carries out the plan, up to that refusal. Wherever it ends, it ends in a state of its own making:
   the predecessor is still to be destroyed, whoever plans next;
3. *drain*: the predecessor takes no more jobs; wait until those that run there have ended;
4. *finish*: take the holding queue away and let Terraform carry out the rest, which is only to delete.

A switch that fails when some queues are pointed to the successor and some are not is taken back, and so is one to a
successor that turns INVALID meanwhile. The same command goes on from wherever this was left.
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

    from gen_infra.aws.compute_environments import ComputeEnvironment, Orders, RunningJob
    from gen_infra.aws.session import Clients
    from gen_infra.terraform.messages import Event
    from gen_infra.terraform.plan import Plan
    from gen_infra.tools.diagnostics import Diagnostic

_LOOK_AGAIN_SECONDS = (1.0, 15.0)  # soon after a change, then less often
_TELL_AGAIN_SECONDS = 60.0
_DELETIONS = 6  # tries, because a queue lets go of its environment a little after AWS says so
_DELETE_AGAIN_SECONDS = 10.0
_ABOUT_TARGETS = {"Resource targeting is in effect", "Applied changes may be incomplete"}
_REFUSAL = "found existing JobQueue relationship"


@dataclass(frozen=True, slots=True)
class Draining:
    """What becomes of jobs that run on a compute environment that is to go.

    Args:
        timeout: seconds to wait for them; without one as long as they run.
        may_end_jobs: whether they are ended then, to be tried again where their retry strategy says so.
    """

    timeout: float | None = None
    may_end_jobs: bool = False

    @property
    def is_off(self) -> bool:
        """Whether nobody is to wait for jobs at all."""
        return self.may_end_jobs and self.timeout == 0


class Steps(Protocol):
    """What is asked of Terraform."""

    def apply(self) -> None:
        """Carry out the plan that was made last."""

    def plan_again(self, only: tuple[str, ...], /) -> Plan:
        """Plan what is left; at these addresses only, if there are any."""


@dataclass(frozen=True)
class Replacement:
    """One run; `carry_out` is the story.

    Args:
        shown: the plan that somebody said yes to.
        steps: Terraform.
        clients: where the environments are.
        environment: the environment's name, such as ``prod``.
        tags: those of holding queues.
        draining: what becomes of jobs.
        tell: hears of progress.
        wait: sleeps for some seconds.
        clock: seconds that only increase.
    """

    shown: Plan
    steps: Steps
    clients: Clients
    environment: str
    tags: Mapping[str, str]
    draining: Draining
    tell: Callable[[str], None]
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def carry_out(self) -> None:
        """Apply the plan, without losing a job on the way.

        Raises:
            AnswerIsNoError: jobs ran for longer than somebody wanted to wait.
            StoppedError: a Ctrl-C, at whatever moment.
            AwsError: a successor turned INVALID; the queues are pointed back.
            GenInfraError: what Terraform failed with; queues that were pointed away too soon are pointed back.
        """
        try:
            self._carry_out()
        except KeyboardInterrupt:
            raise StoppedError(
                "stopped between two runs of Terraform", hint="run the same command again to go on from there"
            ) from None

    def _carry_out(self) -> None:
        before = environments.queue_orders(self.clients)
        held = self._hold(before)
        try:
            is_done = self._switch()
        except (GenInfraError, KeyboardInterrupt) as error:
            if failed := _beside_refusals(error, self.shown.going_environments):
                self._take_back(before)
                raise failed from None
            is_done = False
        if not is_done:
            self._drain(held, before)
            self._finish(held)

    def _switch(self) -> bool:
        """Apply the plan, up to what waits for jobs to end; whether nothing is left of it.

        Of an environment that was replaced in an earlier run Terraform has forgotten what it needs, such as its service
        role. What else the plan deletes then waits until the environment is gone.
        """
        if not (self.shown.has_replaced_environment and self.shown.deletes_more_than_environments):
            self.steps.apply()
            return True
        if changed := self.shown.addresses_that_stay:
            self._plan_rest(changed)
            self.steps.apply()
        return False

    # --- hold ---------------------------------------------------------------------------------------------------------

    def _hold(self, orders: Orders) -> list[ComputeEnvironment]:
        """Keep what goes and may have jobs; let go of what was kept for an earlier plan."""
        going = environments.compute_environments(self.clients, self.shown.going_environments)
        held = [] if self.draining.is_off else [each for each in going.values() if self._is_in_use(each, orders)]
        kept = {environments.holding_queue(each.name) for each in held}
        for queue in environments.holds(orders, self.environment):
            if queue not in kept:
                environments.release(self.clients, queue, self.wait)
        for each in held:
            environments.hold(self.clients, each, self.tags, self.wait)
        return held

    def _is_in_use(self, environment: ComputeEnvironment, orders: Orders) -> bool:
        """Whether jobs run there, or may start there before its queues are pointed away.

        Raises:
            UsageError: jobs run there, and it cannot be kept for them: AWS takes no INVALID environment into a queue.
        """
        can_be_held = environment.status in {"VALID", "UPDATING"}
        queues = self._queues_of(orders, {environment.arn})
        if queues and environment.takes_jobs:
            return True
        jobs = environments.jobs_on(self.clients, environment, self._own_queues(orders))
        if jobs and not can_be_held and not self.draining.may_end_jobs:
            raise UsageError(
                f"{environment.name} is {environment.status}, so it would go with what runs there: {_names(jobs)}",
                hint="wait for these jobs, or let them be ended: --allow stop-jobs",
            )
        return bool(jobs) and can_be_held

    def _queues_of(self, orders: Orders, arns: Collection[str]) -> list[str]:
        """The queues that use one of these environments, those that only hold it left out."""
        holding = environments.holds(orders, self.environment)
        return [queue for queue, order in orders.items() if queue not in holding and not set(arns).isdisjoint(order)]

    def _own_queues(self, orders: Orders) -> list[str]:
        """The queues that jobs on this environment's compute environments come from."""
        return [queue for queue in orders if queue.endswith(f"-{self.environment}")]

    # --- a switch that fails ------------------------------------------------------------------------------------------

    def _take_back(self, before: Orders) -> None:
        """Point queues back to what they had, where some were pointed away from it and others were not."""
        names = self.shown.going_environments
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
            self.tell(f"some queues may be pointed to a new environment and some not: {error.message}")
        else:
            self.tell(f"pointed back to where they were: {', '.join(moved)}")

    # --- drain --------------------------------------------------------------------------------------------------------

    def _drain(self, held: list[ComputeEnvironment], before: Orders) -> None:
        """Wait until nothing runs on any of these; what is seen is told when it changes, and every minute."""
        aws, start = Retry(clock=self.clock), self.clock()
        told: tuple[object, float] = (None, start)
        shortest, longest = _LOOK_AGAIN_SECONDS
        delay, quiet = shortest, 0
        try:
            while held:
                found = aws.call(partial(self._look, held, before))
                if found is not None:
                    quiet = 0 if any(found.values()) else quiet + 1
                    if found != told[0]:
                        delay = shortest
                    if found != told[0] or self.clock() - told[1] >= _TELL_AGAIN_SECONDS:
                        told = (found, self.clock())
                        self._tell(found)
                    # twice, because Batch may have been about to place one
                    if quiet == 2 or (not quiet and self._is_over(start, found)):
                        return
                self.wait(delay)
                delay = min(delay * 1.5, longest)
        except KeyboardInterrupt:
            names = ", ".join(each.name for each in held)
            raise StoppedError(
                f"stopped while jobs end on {names}, which takes no new ones",
                hint="run the same command again to go on waiting",
            ) from None

    def _look(self, held: list[ComputeEnvironment], before: Orders) -> dict[str, list[RunningJob]]:
        """The jobs on each; checks first that the queues are well with what they were pointed to."""
        orders = environments.queue_orders(self.clients)
        self._require_successors(held, before, orders)
        return {each.name: environments.jobs_on(self.clients, each, self._own_queues(orders)) for each in held}

    def _require_successors(self, held: list[ComputeEnvironment], before: Orders, orders: Orders) -> None:
        """Point queues back to VALID predecessors where every successor is INVALID.

        Raises:
            AwsError: it had to be done; it says what is wrong with the successor.
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
            f"{successor.name} has become INVALID: {successor.reason or 'AWS does not say why'}; "
            f"pointed back to what they had: {', '.join(lost)}",
            hint="mend that, then run the same command again",
        )

    def _is_over(self, start: float, found: Mapping[str, list[RunningJob]]) -> bool:
        """Whether the waiting has lasted long enough, and the jobs may be ended.

        Raises:
            AnswerIsNoError: they may not.
        """
        timeout = self.draining.timeout
        if timeout is None or self.clock() - start < timeout:
            return False
        if self.draining.may_end_jobs:
            self.tell("the time is over: these jobs are ended, and tried again where their retry strategy says so")
            return True
        running = "; ".join(f"{name}: {_names(jobs)}" for name, jobs in found.items() if jobs)
        raise AnswerIsNoError(
            f"jobs still run on what is to go, which takes no new ones: {running}",
            hint="run the same command again to go on waiting; "
            "--drain-timeout 0 --allow stop-jobs ends them, to be tried again where their retry strategy says so",
        )

    def _tell(self, found: Mapping[str, list[RunningJob]]) -> None:
        for name, jobs in found.items():
            self.tell(f"  {name} takes no more jobs; {_waits(jobs) if jobs else 'none runs there any more'}")

    # --- finish -------------------------------------------------------------------------------------------------------

    def _finish(self, held: list[ComputeEnvironment]) -> None:
        """Let go of what was held, and carry out what is left of the plan: deletions.

        The environments first, by themselves: one that loses its service role before it is deleted stays in DELETING.

        Raises:
            UsageError: something else is to be changed by now.
        """
        for each in held:
            environments.release(self.clients, environments.holding_queue(each.name), self.wait)
        self._carry_out_rest(only=tuple(self.shown.going_environments.values()))
        if self.shown.deletes_more_than_environments:
            self._carry_out_rest()

    def _carry_out_rest(self, only: tuple[str, ...] = ()) -> None:
        """Plan and apply, at these addresses if there are any; a few times if AWS is late to let go of a queue."""
        for left in reversed(range(_DELETIONS)):
            if not self._plan_rest(only).has_changes:
                return
            try:
                self.steps.apply()
            except TerraformError as error:
                if others := _beside_refusals(error, self.shown.going_environments):
                    raise others from None
                if not left:
                    raise (self._still_in_a_queue() or error) from None
                self.tell("AWS has not let go of the old compute environment yet; trying again")
                self.wait(_DELETE_AGAIN_SECONDS)
            else:
                return

    def _still_in_a_queue(self) -> AwsError | None:
        """What to do where it is no race: somebody else's queue has what is to go."""
        going = environments.compute_environments(self.clients, self.shown.going_environments)
        queues = self._queues_of(environments.queue_orders(self.clients), {each.arn for each in going.values()})
        if not queues:
            return None
        return AwsError(
            f"AWS does not delete {', '.join(going)}, which is still in {', '.join(queues)}",
            hint="point these queues elsewhere, then run the same command again",
        )

    def _plan_rest(self, only: tuple[str, ...]) -> Plan:
        rest = self.steps.plan_again(only)
        if not rest.is_part_of(self.shown):
            raise UsageError(
                "something else is to be changed by now; only what was shown is applied",
                hint="plan again, and read the new plan",
            )
        return rest


def without_refusals(on_event: Callable[[Event], None], addresses: Collection[str]) -> Callable[[Event], None]:
    """Hands on all events but the failures at these addresses, which are wanted, and terraform's words on targeting."""

    def hand_on(event: Event) -> None:
        refused = event.phase == "errored" and event.address in addresses
        targeted = event.diagnostic is not None and event.diagnostic.summary in _ABOUT_TARGETS
        if not refused and not targeted:
            on_event(event)

    return hand_on


def _beside_refusals(error: BaseException, going: Collection[str]) -> BaseException | None:
    """The error without AWS's refusals to delete what is in a queue; None where it was nothing else."""
    if not isinstance(error, TerraformError):
        return error
    errors = [each for each in error.diagnostics if each.severity == "error"]
    others = [each for each in errors if not _is_refusal(each, going)]
    if len(others) == len(errors) or error.cause == "state-not-saved":  # its hint knows where the state is
        return error
    return failure("terraform apply", others) if others else None


def _is_refusal(diagnostic: Diagnostic, going: Collection[str]) -> bool:
    return _REFUSAL in diagnostic.message and any(f"({name})" in diagnostic.message for name in going)


def _waits(jobs: Iterable[RunningJob]) -> str:
    """``waits for isaac (2), strelka, the longest since Sep 30 09:41 UTC``."""
    started = [job.started for job in jobs if job.started]
    since = f", the longest since {datetime.fromtimestamp(min(started), UTC):%b %d %H:%M} UTC" if started else ""
    return f"waits for {_names(jobs)}{since}"


def _names(jobs: Iterable[RunningJob]) -> str:
    """``isaac (2), strelka``."""
    counts = Counter(job.name for job in jobs)
    return ", ".join(f"{name} ({count})" if count > 1 else name for name, count in counts.items())
