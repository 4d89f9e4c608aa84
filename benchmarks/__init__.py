"""What the stack does under load, as tables. Each module with a ``main`` is a command: ``python -m benchmarks.X``."""
