"""The workflow engines as they come from PyPI, on an environment of the embedded AWS: `make engines-test`."""
