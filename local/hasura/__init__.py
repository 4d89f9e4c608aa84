"""Hasura's GraphQL and scheduled events as Hasura v2 does them, generic over ``hasura/metadata``.

What is emulated, and what is refused with a clear message: docs/local-stack.md.
"""
