"""What a pull request may keep: the parts of the manifest before the change that `check --against` compares with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_infra.manifest import Manifest
    from gen_infra.manifest.model.access import AccessName
    from gen_infra.manifest.model.settings import Suppression


@dataclass(frozen=True, slots=True)
class BaseManifest:
    """The manifest before the change; a new manifest has none of all this before.

    Attributes:
        suppressions: the only ones that the changed manifest may have.
        iam_path: the only path below which existing roles are accepted.
        images: the only ids of AMIs that instances may run, or be built from.
        access: what each access role may grant, by the role's name: see `Access.grants`.
    """

    suppressions: tuple[Suppression, ...] = ()
    iam_path: str = "/"
    images: frozenset[str] = frozenset()
    access: Mapping[AccessName, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, manifest: Manifest) -> BaseManifest:
        """Return these parts of a manifest."""
        grants = [*manifest.access.grants()] if manifest.access else []
        access: dict[AccessName, frozenset[str]] = {}
        for each in grants:
            access[each.role] = access.get(each.role, frozenset()) | {each.item}
        images = frozenset(ami for _, ami in manifest.named_images())
        return cls(manifest.suppressions, manifest.iam.path, images, access)
