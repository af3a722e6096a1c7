"""Service Quotas: the account's quotas of vCPUs and of EBS storage."""

from __future__ import annotations

from typing import Any

from moto.servicequotas.models import ServiceQuotasBackend

from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch

# Typical values of an account in use that never requested GPU instances of the P family.
VCPU_QUOTAS = {
    "L-1216C47A": ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 1152),
    "L-34B43A08": ("All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", 2048),
    "L-DB2E81BA": ("Running On-Demand G and VT instances", 64),
    "L-3819A6DF": ("All G and VT Spot Instance Requests", 64),
    "L-417A185B": ("Running On-Demand P instances", 0),
    "L-7212CCBC": ("All P Spot Instance Requests", 0),
}
# TiB, as in a new account.
STORAGE_QUOTAS = {
    "L-D18FCD1D": ("Storage for General Purpose SSD (gp2) volumes, in TiB", 50),
    "L-7A658B76": ("Storage for General Purpose SSD (gp3) volumes, in TiB", 50),
}
_QUOTAS = {
    "ec2": ("Amazon Elastic Compute Cloud (Amazon EC2)", VCPU_QUOTAS),
    "ebs": ("Amazon Elastic Block Store (Amazon EBS)", STORAGE_QUOTAS),
}


@moto_patch(
    moto="5.2.5 has only the quotas of VPC",
    aws="has vCPU quotas of EC2 by family, for On-Demand and Spot, and quotas of EBS storage by volume type",
)
def vcpu_quotas() -> None:
    """Add the quotas that matter to Batch."""

    @around(ServiceQuotasBackend, "get_service_quota")
    def get_service_quota(
        original: Any, backend: ServiceQuotasBackend, service_code: str, quota_code: str
    ) -> dict[str, Any]:
        service, quotas = _QUOTAS.get(service_code, ("", {}))
        if quota_code not in quotas:
            found: dict[str, Any] = original(backend, service_code, quota_code)
            return found
        name, value = quotas[quota_code]
        return {
            "ServiceCode": service_code,
            "ServiceName": service,
            "QuotaCode": quota_code,
            "QuotaName": name,
            "Value": float(value),
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }


PATCHES: tuple[MotoPatch, ...] = (vcpu_quotas,)
