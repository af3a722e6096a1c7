"""Runs checkov in its own Python environment."""
