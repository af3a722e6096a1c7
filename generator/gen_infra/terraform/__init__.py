"""Runs terraform and reads what it writes: messages, plans, HCL."""
