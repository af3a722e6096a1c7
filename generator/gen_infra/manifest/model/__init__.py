"""The manifest's types; defaults live here and nowhere else."""
