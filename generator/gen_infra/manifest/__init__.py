"""The manifest: what a person writes, read strictly and typed."""

from gen_infra.manifest.loader import Loaded, load, load_with_warnings
from gen_infra.manifest.model import Manifest

__all__ = ["Loaded", "Manifest", "load", "load_with_warnings"]
