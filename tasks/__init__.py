"""Scripts for maintainers: they write generated files again."""
