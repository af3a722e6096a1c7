"""KMS: the principals of key policies, and the states of keys."""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.iam.models import iam_backends
from moto.kms.models import KmsBackend

from gen_infra.emulator.patches.iam import absent_principals
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch


@moto_patch(
    moto="5.2.5 accepts any text as a key policy",
    aws="refuses a policy whose Principal is a role or user of the account that does not exist",
)
def key_policy_principals() -> None:
    """Look up every role and user before the policy is accepted."""

    @around(KmsBackend, "create_key")
    def create_key(original: Any, backend: KmsBackend, policy: str | None, *args: Any, **kwargs: Any) -> Any:
        _check(backend, policy)
        return original(backend, policy, *args, **kwargs)

    @around(KmsBackend, "put_key_policy")
    def put_key_policy(original: Any, backend: KmsBackend, key_id: str, policy: str) -> None:
        _check(backend, policy)
        original(backend, key_id, policy)


def _check(backend: KmsBackend, policy: str | None) -> None:
    if absent_principals(iam_backends[backend.account_id][backend.partition], policy):
        raise JsonRESTError(
            "MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals."
        )


@moto_patch(
    moto="5.2.5 uses, rotates and deletes a key in any state",
    aws="uses only an enabled key, and changes none whose deletion is scheduled",
)
def key_states() -> None:
    """Read the key's state before the call.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
    """
    for name in ("encrypt", "generate_data_key"):
        _only_in_state(name, {"Enabled"})
    for name in ("enable_key_rotation", "disable_key_rotation", "disable_key", "enable_key"):
        _only_in_state(name, {"Enabled", "Disabled"})
    _only_in_state("schedule_key_deletion", {"Enabled", "Disabled"})


def _only_in_state(name: str, states: set[str]) -> None:
    @around(KmsBackend, name)
    def call(original: Any, backend: KmsBackend, key_id: str, *args: Any, **kwargs: Any) -> Any:
        key = backend.keys.get(backend.any_id_to_key_id(key_id))
        if key is not None and key.key_state not in states:
            state = "is disabled" if key.key_state == "Disabled" else "is pending deletion"
            code = "DisabledException" if key.key_state == "Disabled" else "KMSInvalidStateException"
            raise JsonRESTError(code, f"{key.arn} {state}.")
        return original(backend, key_id, *args, **kwargs)


PATCHES: tuple[MotoPatch, ...] = (key_policy_principals, key_states)
