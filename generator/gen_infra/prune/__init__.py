"""Finds and removes what is old and unused."""
