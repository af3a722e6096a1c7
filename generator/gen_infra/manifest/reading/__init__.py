"""Read manifest files strictly, with the position of each value."""
