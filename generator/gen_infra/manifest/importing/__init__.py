"""Turn existing job definitions into jobs of a manifest."""
