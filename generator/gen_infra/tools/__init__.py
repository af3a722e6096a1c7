"""Typed adapters for external tools, and the one module that starts processes (`process.py`)."""
