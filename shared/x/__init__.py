"""X: publishing, the account's timeline, and the rules of a text."""
