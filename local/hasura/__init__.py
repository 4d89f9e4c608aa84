"""Hasura's GraphQL and scheduled events as Hasura v2 does them, for any ``hasura/metadata``.

``server`` joins the parts: ``http_api`` (routes), ``graphql_api``, ``metadata_api``, ``events`` (deliveries) and
``schema_cache``, which applies the metadata to the database. What is emulated, and what is refused with a clear
message: docs/local-stack.md.
"""
