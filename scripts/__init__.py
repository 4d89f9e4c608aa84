"""Commands for who works on this repository: they write generated files and pictures, or run its contract tests."""
