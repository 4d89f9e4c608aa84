"""The part of X's API v2 that a scheduler of posts uses: signed requests, X's rules and errors, and faults on demand.

``oauth`` finds out who is calling, ``endpoints`` answers, ``drafts`` has X's rules for a new tweet, ``problems`` its
error answers, ``timeline`` the reading of tweets, ``rate_limits`` the limits. ``faults`` and ``control`` are not X's:
people and tests use them to control the emulation. It refuses what it does not emulate: docs/local-stack.md lists that.
"""
