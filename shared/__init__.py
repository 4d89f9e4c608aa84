"""What the two functions know. Always ``from shared import ...``; docs/architecture.md says why."""
