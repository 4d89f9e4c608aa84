"""GraphQL over WebSocket at ``/v1/graphql``, as Hasura speaks it (its Transport/WebSocket.hs).

``messages``        the two subprotocols: ``graphql-transport-ws``, and the older ``graphql-ws``
``live_queries``    what is subscribed to, polled
``connection``      one connection, from its first message to its end
``endpoint``        all connections: which upgrades are accepted, and when all are closed
"""
