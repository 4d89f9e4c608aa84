"""X's API v2, as far as a scheduler of posts meets it: signed requests, X's rules and refusals, and failures on demand.

``oauth`` says who is calling, ``endpoints`` answers, ``drafts`` holds X's rules for a new tweet, ``problems`` its
refusals word for word, ``timeline`` its reading side, ``rate_limits`` its buckets. ``failures`` and ``control`` are
ours: they let people and tests steer it. What is not emulated is refused: docs/local-stack.md lists it.
"""
