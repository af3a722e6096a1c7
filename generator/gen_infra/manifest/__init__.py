"""The manifest: what a person writes, read strictly and typed."""

from gen_infra.manifest.loader import load
from gen_infra.manifest.model import Manifest

__all__ = ["Manifest", "load"]
