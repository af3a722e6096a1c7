"""Reads terraform's messages while it runs, and explains its known errors.

``terraform init|plan|apply -json`` print one JSON object a line: https://developer.hashicorp.com/terraform/internals/machine-readable-ui
(``init`` since 1.9, and not every line of it). OpenTofu prints the same.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gen_infra.errors import GenInfraError, MissingError, ToolError, UsageError
from gen_infra.tools.diagnostics import Diagnostic, parse_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_DETAIL_LIMIT = 800  # characters of terraform's explanation that fit into an error message

Phase = Literal[
    "planned",
    "drift",
    "refresh",
    "refreshed",
    "start",
    "progress",
    "complete",
    "errored",
    "diagnostic",
    "summary",
    "message",
]
_PHASES: dict[str, Phase] = {
    "planned_change": "planned",
    "resource_drift": "drift",
    "refresh_start": "refresh",
    "refresh_complete": "refreshed",
    "apply_start": "start",
    "apply_progress": "progress",
    "apply_complete": "complete",
    "apply_errored": "errored",
    "diagnostic": "diagnostic",
    "change_summary": "summary",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One step of a run.

    Attributes:
        phase: where the resource or the run is.
        message: terraform's own sentence.
        address: the resource, or empty.
        action: create, read, update, replace, delete, noop, …, or empty.
        seconds: since the start of this action; only with progress, complete and errored.
        diagnostic: only with the phase of that name.

    """

    phase: Phase
    message: str
    address: str = ""
    action: str = ""
    seconds: float = 0.0
    diagnostic: Diagnostic | None = None


class TerraformError(ToolError):
    """terraform ran and failed.

    Attributes:
        cause: the name of the entry in the table of known causes, or empty.
        diagnostics: all that terraform reported, errors and warnings.

    """

    def __init__(
        self, message: str, *, hint: str = "", cause: str = "", diagnostics: tuple[Diagnostic, ...] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.cause = cause
        self.diagnostics = diagnostics


class Messages:
    """The messages of one run: forwards each event, and keeps what is needed afterwards.

    Attributes:
        diagnostics: all of them.
        completed: how many changes are done.
        unsaved_state: the whole state, which terraform prints when it can write it nowhere, or empty.
        was_abandoned: whether a second interrupt made terraform leave at once.

    Args:
        on_event: is given each event as it comes.

    """

    def __init__(self, on_event: Callable[[Event], None] | None = None) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.completed = 0
        self.unsaved_state: dict[str, Any] = {}
        self.was_abandoned = False
        self._on_event = on_event

    def feed(self, line: str) -> None:
        """Take one line of terraform's stdout; a line that is no JSON object is a plain message."""
        event = parse_event(line)
        if event is None:
            return
        if event.diagnostic is not None:
            self.diagnostics.append(event.diagnostic)
        self.completed += event.phase == "complete"
        self.was_abandoned |= event.message.strip().startswith("Two interrupts received")
        if event.message == "Emergency state dump":
            self.unsaved_state = json.loads(line).get("state", {})
        if self._on_event is not None:
            self._on_event(event)


def parse_event(line: str) -> Event | None:
    """Read one line of a ``-json`` run; None for an empty one."""
    try:
        message = json.loads(line)
    except ValueError:
        message = line
    if not isinstance(message, dict):
        return Event("message", line) if line.strip() else None
    step: dict[str, Any] = message.get("hook") or message.get("change") or {}
    diagnostic = message.get("diagnostic")
    return Event(
        phase=_PHASES.get(message.get("type", ""), "message"),
        message=message.get("@message", ""),
        address=step.get("resource", {}).get("addr", ""),
        action=step.get("action", ""),
        seconds=float(step.get("elapsed_seconds", 0)),
        diagnostic=parse_diagnostic(diagnostic) if diagnostic else None,
    )


def parse_diagnostic(raw: dict[str, Any]) -> Diagnostic:
    """Read a diagnostic object, as in ``validate -json`` and in the streams."""
    position = raw.get("range") or {}
    start = position.get("start", {})
    return Diagnostic(
        severity="error" if raw["severity"] == "error" else "warning",
        summary=raw.get("summary", ""),
        detail=raw.get("detail", ""),
        address=raw.get("address", ""),
        file=position.get("filename", ""),
        line=start.get("line", 0),
        column=start.get("column", 0),
    )


@dataclass(frozen=True, slots=True)
class _Cause:
    """A known reason for a failure.

    Attributes:
        name: how code refers to it.
        pattern: searched in "summary, newline, detail" of an error; its named groups fill ``message`` and ``hint``, and
            ``{terraform}`` is the beginning of a command line.
        hint: the next action.
        message: what happened, where we can say it better than terraform; empty: terraform's words.
        error: what to raise.

    """

    name: str
    pattern: str
    hint: str
    message: str = ""
    error: type[GenInfraError] = TerraformError


LOCK_ID = "LOCK_ID"
"""Stands in a hint for the id of the lock, which terraform does not print when it cannot release it."""

# In AWS's words of each service, below the provider's: ``creating IAM Role (isaac-prod-job): … EntityAlreadyExists: …``
EXISTS = r"creating (?P<what>[^(\n]+) \((?P<name>[^)\n]+)\).*?(AlreadyExist|already exists?\b|\.Duplicate\b)"
_CAUSES = (  # the first that fits any of the errors
    _Cause(
        "state-not-saved",
        r"Failed to (save|persist) state|Error saving state",
        hint="fix that, then {restore}",
    ),
    _Cause(
        "locked",
        r"Error acquiring the state lock.*?\bID:\s+(?P<id>\S+).*?Operation:\s+(?P<operation>\S*)"
        r".*?Who:\s+(?P<who>\S+).*?Created:\s+(?P<created>[^\n]+)",
        message="{who} holds the state lock since {created} ({operation}, lock {id})",
        hint="wait until that run has ended; if it died, free the lock: {terraform} force-unlock {id}",
    ),
    _Cause(
        "wrong-account",
        r"AWS account ID not allowed: (?P<account>\d+)",
        message="the credentials belong to AWS account {account}, which is not the manifest's",
        hint="choose the right credentials (AWS_PROFILE), or correct account: in the manifest",
        error=UsageError,
    ),
    _Cause(
        "expired-credentials",
        r"ExpiredToken|RequestExpired|[Tt]oken[^\n]{0,40}(is|has) expired|SSO session has expired",
        message="the AWS credentials have expired",
        hint="renew them, with SSO: aws sso login",
        error=MissingError,
    ),
    _Cause(
        "no-profile",
        r"failed to get shared config profile, (?P<profile>[^\s,]+)",
        message="there is no AWS profile {profile}",
        hint="choose one of: aws configure list-profiles",
        error=MissingError,
    ),
    _Cause(
        "no-credentials",
        r"No valid credential sources found|failed to refresh cached credentials",
        message="there are no AWS credentials",
        hint="set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        error=MissingError,
    ),
    _Cause(
        "clock",
        r"RequestTimeTooSkewed|Signature expired|Signature not yet current",
        message="the clock of this machine is wrong: AWS accepts only requests of the last minutes",
        hint="set the clock, for example with chronyc makestep or timedatectl set-ntp true, and run it again",
        error=MissingError,
    ),
    _Cause(
        "bad-credentials",
        r"InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClientException|AuthFailure",
        message="AWS does not accept the credentials",
        hint="check them: aws sts get-caller-identity",
        error=MissingError,
    ),
    _Cause(
        "no-state-bucket",
        r"S3 bucket \"(?P<bucket>[^\"]+)\" does not exist|NoSuchBucket.*state",
        hint="make the state bucket: gen-infra bootstrap MANIFEST",
        error=MissingError,
    ),
    _Cause(
        "lock-file",
        r"locked provider \S+ \S+ does not match configured version constraint"
        r"|doesn't match any of the\s+checksums previously recorded"
        r"|Provider dependency changes detected",
        hint="if the provider was changed on purpose, renew the lock file: gen-infra lock --upgrade MANIFEST",
    ),
    _Cause(
        "no-provider",
        r"Failed to (query available provider packages|install provider|resolve provider packages)"
        r"|registry client|could not connect to registry",
        hint="without a way to the registry, point GEN_INFRA_PLUGIN_DIR to what `terraform providers mirror` made",
        error=MissingError,
    ),
    _Cause(
        "not-initialised",
        r"Required plugins are not installed|Missing required provider|Inconsistent dependency lock file"
        r"|Module not installed|Backend initialization required",
        hint="install them: {terraform} init",
    ),
    _Cause(
        "backend-changed",
        r"Backend configuration changed|Backend type changed",
        hint="the state is elsewhere now; move it: {terraform} init -migrate-state",
    ),
    _Cause(
        "stale-plan",
        r"Saved plan is stale|saved plan .* different state",
        message="the saved plan is stale: the state was changed after it was made",
        hint="plan again, look at it, then apply",
    ),
    _Cause(
        "inconsistent-plan",
        r"Provider produced inconsistent final plan",
        hint="plan and apply once more: what was made until now is kept",
    ),
    _Cause(
        "exists",
        EXISTS,
        message="these exist in AWS and are not in Terraform's state: {what} ({name})",
        hint="if an interrupted run created it, import it, then run the same command again: "
        "{terraform} import ADDRESS ID",
    ),
    _Cause(
        "environment-in-use",
        r"found existing JobQueue relationship",
        hint="the queue still had the old compute environment: plan and apply once more",
    ),
    _Cause("disk-full", r"[Nn]o space left on device", hint="make room on the disk and run the same command again"),
    _Cause("read-only", r"[Rr]ead-only file system", hint="choose a folder that can be written to: --out FOLDER"),
    _Cause(
        "access-denied",
        r"AccessDenied|UnauthorizedOperation|not authorized to perform",
        hint="the AWS identity lacks that permission; ask for it, or choose another one (AWS_PROFILE)",
    ),
    _Cause(
        "unreachable",
        r"dial tcp|no such host|request send failed|i/o timeout|TLS handshake timeout|connection (refused|reset)"
        r"|connection lost",
        hint="check the network, the proxy and AWS_ENDPOINT_URL, then run the same command again",
    ),
    _Cause("locked", r"Error acquiring the state lock", hint="wait until the other run has ended, then try again"),
)


def failure(
    command: str, diagnostics: Iterable[Diagnostic], *, output: str = "", terraform: str = "terraform"
) -> GenInfraError:
    """Make the error for a failed run: by a known cause if an error has one, else in terraform's words.

    Args:
        command: what was run, for the message, such as ``terraform apply``.
        diagnostics: what it reported.
        output: its plain output, read when there is no error among ``diagnostics``.
        terraform: how a command line for the same folder begins.

    """
    reported = tuple(diagnostics)
    errors = [item for item in reported if item.severity == "error"] or parse_plain(output)
    found = [
        (cause, match.groupdict() | {"terraform": terraform, "restore": _restore(errors, terraform)}, error)
        for cause in _CAUSES
        for error in errors
        if (match := re.search(cause.pattern, f"{error.summary}\n{error.detail}", flags=re.DOTALL))
    ]
    if found:
        return _known(command, found, reported)
    if not errors:
        lines = [line.strip() for line in output.splitlines() if line.strip()] or ["it does not say why"]
        crashed = (line for line in lines if line.startswith("panic: "))  # its trace follows
        return TerraformError(f"{command} failed: {next(crashed, lines[-1])}")
    summary = _sentence(command, errors[0], others=len(errors) - 1)
    return TerraformError(summary, hint="fix that, then run the same command again", diagnostics=reported)


def _restore(errors: Iterable[Diagnostic], terraform: str) -> str:
    """Say how a state that could not be saved gets into its place; a lock that is left blocks every later run."""
    if all(error.summary != "Error releasing the state lock" for error in errors):
        return "run the same command again, which restores the state from errored.tfstate"
    return (
        "free the lock, which this run could not release, and put the state in its place: "
        f"{terraform} force-unlock {LOCK_ID} && {terraform} state push errored.tfstate"
    )


def _known(
    command: str, found: list[tuple[_Cause, dict[str, str], Diagnostic]], reported: tuple[Diagnostic, ...]
) -> GenInfraError:
    cause, groups, error = found[0]
    summary, hint = cause.message.format(**groups), cause.hint.format(**groups)
    reasons = [(other, groups) for other, groups, _ in found[1:] if other.message]
    if cause.name == "state-not-saved" and reasons:
        reason, groups = reasons[0]
        summary = f"{reason.message.format(**groups)}, and the state could not be saved"
        hint = f"{reason.hint.format(**groups)}; {hint.removeprefix('fix that, ')}"
    message = f"{command} failed: {summary}" if summary else _sentence(command, error)
    if cause.error is TerraformError:
        return TerraformError(message, hint=hint, cause=cause.name, diagnostics=reported)
    return cause.error(message, hint=hint)


def _sentence(command: str, error: Diagnostic, *, others: int = 0) -> str:
    detail = " ".join(error.detail.split())
    if len(detail) > _DETAIL_LIMIT:
        detail = detail[:_DETAIL_LIMIT] + "…"
    place = ", ".join(part for part in (f"{error.file}:{error.line}" if error.file else "", error.address) if part)
    sentence = f"{command} failed: {error.summary.rstrip('.')}"
    sentence += f": {detail.rstrip('.')}" if detail else ""
    sentence += f" ({place})" if place else ""
    return sentence + (f", and {others} more error{'s' if others > 1 else ''}" if others else "")
