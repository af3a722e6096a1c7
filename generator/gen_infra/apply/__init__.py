"""Applies a plan: replacement of compute environments, recovery from interrupted runs, orphans."""
