"""The core: what a post is, what becomes of it, and what it needs of the outside world."""
