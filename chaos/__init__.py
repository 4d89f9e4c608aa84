"""The proof of "never lost, never twice": the whole stack under everything that can go wrong at once.

``python -m chaos --seed 1 --posts 1000`` has many authors schedule posts that are due within a minute. Meanwhile it
kills processes, drops and duplicates deliveries, and makes X fail. Then it lets the stack come to rest, and compares
what the authors asked for, what the rows say, and what is on X.

The product's code runs as it is, in a process of its own, but for two things:
- Its clients of Hasura and X are replaced by subclasses, which call the real ones and kill the process at a crash point
  that is armed (chaos/crash_points.py).
- So that hours pass in seconds, timestamps in the database are moved back while the functions are down
  (chaos/database.py).
"""
