"""Coverage-guided fuzzing of the loader."""
