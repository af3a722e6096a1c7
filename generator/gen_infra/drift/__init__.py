"""Finds what was changed outside Terraform, and who changed it."""
