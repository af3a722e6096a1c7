"""gen-infra: AWS Batch environments for genomics labs from one YAML manifest."""

__version__ = "0.1.0"
