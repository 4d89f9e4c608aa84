"""Hasura: the rows through GraphQL, the scheduled events through its metadata API, and what it delivers."""
