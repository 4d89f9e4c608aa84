"""What is measured, and how to measure it again: each module with a ``main`` is a command. Nothing here is deployed."""
