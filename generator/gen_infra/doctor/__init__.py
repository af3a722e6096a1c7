"""Diagnoses the tools, the account and what a manifest refers to; one module for each subject."""
