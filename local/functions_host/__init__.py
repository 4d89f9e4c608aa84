"""The functions of an app, served as ``func start`` serves them: Python, v1 programming model, HTTP triggers.

Emulated after Azure's documentation and the public sources of the host, its Python worker and Core Tools. What is not
emulated: docs/local-stack.md.
"""
