"""Name the checks whose findings give power over hosts, roles or the account.

A manifest cannot accept these: its author could take the account with it. Only a policy file can.
"""

from __future__ import annotations

from gen_infra.check.access import ACCESS_RULE
from gen_infra.check.host_scripts import HOST_SCRIPT_RULE
from gen_infra.check.images import IMAGE_RULE
from gen_infra.check.rules import RULES

# checkov's checks of this kind, by what they find
_ADMINISTRATORS = ("CKV_AWS_1", "CKV_AWS_62", "CKV_AWS_274", "CKV2_AWS_40", "CKV2_AWS_56")
_ANY_ACTION_OR_RESOURCE = ("CKV_AWS_49", "CKV_AWS_63", "CKV_AWS_355", "CKV_AWS_356")
_ESCALATION = (*(f"CKV_AWS_{number}" for number in (*range(107, 112), *range(286, 291))),)
_ANY_PRINCIPAL = (*(f"CKV_AWS_{number}" for number in (32, 33, 60, 61, 168, 169, 283, 301, 387, 393)),)
_PUBLIC_BUCKETS = (*(f"CKV_AWS_{number}" for number in (20, 53, 54, 55, 56, 57)), "CKV2_AWS_6")
_PRIVILEGED_CONTAINERS = ("CKV_AWS_210", "CKV_AWS_316")

PRIVILEGE_CHECKS = frozenset(
    (
        *(rule.id for rule in RULES if rule.privilege),
        ACCESS_RULE.id,
        HOST_SCRIPT_RULE.id,
        IMAGE_RULE.id,
        *_ADMINISTRATORS,
        *_ANY_ACTION_OR_RESOURCE,
        *_ESCALATION,
        *_ANY_PRINCIPAL,
        *_PUBLIC_BUCKETS,
        *_PRIVILEGED_CONTAINERS,
    )
)
