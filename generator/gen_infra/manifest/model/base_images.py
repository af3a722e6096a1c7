"""AWS's ECS-optimized images that instances can run, and the instance families that each of them supports."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

BaseImageName = Literal["ecs-al2023-x86_64", "ecs-al2023-arm64", "ecs-al2023-gpu"]
Architecture = Literal["x86_64", "arm64"]


@dataclass(frozen=True, slots=True)
class BaseImage:
    """One ECS-optimized image.

    Args:
        architecture: the CPU architecture of the instances that it runs on, in EC2's spelling.
        batch_type: AWS Batch's ``ec2Configuration.imageType``.
        parameter: AWS's public SSM parameter with the id of the recommended image.
        ami_name: the pattern of the image's names in EC2.
        has_gpu_driver: whether jobs can use NVIDIA GPUs.
        refused: families of this architecture that the image does not run on.
    """

    architecture: Architecture
    batch_type: Literal["ECS_AL2023", "ECS_AL2023_NVIDIA"]
    parameter: str
    ami_name: str
    has_gpu_driver: bool = False
    refused: frozenset[str] = frozenset()

    def runs_on(self, family: str, architecture: Architecture) -> bool:
        """Return whether instances of a family can run this image."""
        return architecture == self.architecture and family not in self.refused


_PARAMETERS = "/aws/service/ecs/optimized-ami/amazon-linux-2023"

# Types and families: https://docs.aws.amazon.com/batch/latest/APIReference/API_Ec2Configuration.html (imageType);
# a1 also: https://docs.aws.amazon.com/linux/al2023/ug/system-requirements.html (ARMv8.2, so Graviton2 or later).
# Parameters: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/retrieve-ecs-optimized_AMI.html
# Names: https://github.com/aws/amazon-ecs-ami (al2023*.pkr.hcl)
BASE_IMAGES: Mapping[BaseImageName, BaseImage] = MappingProxyType(
    {
        "ecs-al2023-x86_64": BaseImage(
            "x86_64",
            "ECS_AL2023",
            f"{_PARAMETERS}/recommended/image_id",
            "al2023-ami-ecs-hvm-2023.0.*-x86_64",
        ),
        "ecs-al2023-arm64": BaseImage(
            "arm64",
            "ECS_AL2023",
            f"{_PARAMETERS}/arm64/recommended/image_id",
            "al2023-ami-ecs-hvm-2023.0.*-arm64",
            refused=frozenset({"a1"}),
        ),
        "ecs-al2023-gpu": BaseImage(
            "x86_64",
            "ECS_AL2023_NVIDIA",
            f"{_PARAMETERS}/gpu/recommended/image_id",
            "al2023-ami-ecs-gpu-hvm-2023.0.*-x86_64-ebs",
            has_gpu_driver=True,
            refused=frozenset({"p3", "g3", "g3s"}),
        ),
    }
)


def base_images_for(family: str, architecture: Architecture, *, gpus: bool) -> list[BaseImageName]:
    """Return the images that a family runs; with ``gpus`` those with the driver for its GPUs come first."""
    fitting = [name for name, image in BASE_IMAGES.items() if image.runs_on(family, architecture)]
    return sorted(fitting, key=lambda name: BASE_IMAGES[name].has_gpu_driver != gpus)
