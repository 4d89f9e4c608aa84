"""A value for account.sealed_tokens, where a test needs a row and no tokens."""

DOES_NOT_OPEN = "v1.a-key." + "A" * 60
"""Has the form that the database demands, and opens with no key."""
