"""The fixture of the tests that use the whole stack."""

from running_stack_fixture import stack

__all__ = ["stack"]
