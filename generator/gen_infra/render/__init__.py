"""Render a manifest to files, and write them to a folder."""
