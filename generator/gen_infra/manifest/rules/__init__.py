"""Rules between values of a manifest."""
