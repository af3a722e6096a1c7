"""Reads manifest files strictly, with the place of each value."""
