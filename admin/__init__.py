"""Commands for the operator: each is ``python -m admin.<command>``, and says with ``--help`` what it does."""
