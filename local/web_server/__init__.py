"""The page's server on this machine: the files in ``web/``, and a sign-in by name alone, for development."""
