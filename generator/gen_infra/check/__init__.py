"""Checks what was rendered: terraform, checkov, packer and the project's own rules."""
