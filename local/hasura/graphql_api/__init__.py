"""Hasura's ``/v1/graphql``: metadata and the live PostgreSQL catalog in, one SQL statement for each root field out.

The modules in the order of their imports, lowest first:

``postgres_catalog``, ``scalars``           the types, tables and functions of PostgreSQL
``model``, ``permissions``, ``metadata``    what the metadata makes of them
``request``, ``arguments``                  a request's operation and the values of its arguments
``input_types``, ``role_schema``            the GraphQL schema of a role
``selection``                               the fields of an operation, checked against that schema
``statement``, ``select``, ``mutations``    their SQL
``api``                                     from the JSON of a request to the JSON of its answer
"""

from local.hasura.graphql_api.api import CheckedOperation, GraphQLApi

__all__ = ["CheckedOperation", "GraphQLApi"]
