"""The manifest: its types, its rules and its reader."""

from gen_infra.manifest.model.manifest import Manifest
from gen_infra.manifest.reading.loader import Loaded, load, load_with_warnings

__all__ = ["Loaded", "Manifest", "load", "load_with_warnings"]
