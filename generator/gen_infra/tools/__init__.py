"""One typed adapter for each external tool, and the one place that starts processes (`process.py`)."""
