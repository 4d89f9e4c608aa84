"""Hasura's metadata API: commands as JSON, on ``/v1/metadata``, ``/v1/query`` and ``/v2/query``."""
