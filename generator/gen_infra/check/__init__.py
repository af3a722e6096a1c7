"""Check rendered files with terraform, checkov, packer and the project's own rules."""
