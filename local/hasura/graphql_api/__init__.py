"""Hasura's ``/v1/graphql``: metadata and the live PostgreSQL catalog in, one SQL statement for each root field out."""

from local.hasura.graphql_api.api import GraphQLApi

__all__ = ["GraphQLApi"]
