"""The proof of "never lost, never twice": the whole stack under everything that can go wrong at once.

``python -m chaos --seed 1 --posts 1000`` has many authors schedule posts that are due within a minute, and meanwhile
kills processes, loses and doubles bells, and makes X fail. Then it lets the stack come to rest and compares what the
authors asked for, what the rows say, and what is on X. It reaches into nothing: the product's code runs as it is.
"""
