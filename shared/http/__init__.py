"""HTTP in both directions: what we send, what we answer, and who is calling."""
