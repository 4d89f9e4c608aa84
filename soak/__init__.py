"""Ten normal authors beside clients that are slow, broken or flooding, for minutes, on the whole stack.

``python -m soak --minutes 10`` measures what the normal authors notice (answers, lateness of their posts), what the
processes need (memory, threads), and each answer of 5xx. Hasura and X are stopped for a while each, one after the
other. ``python -m soak.attacks`` repeats the attacks of docs/security.md, each on a stack of its own.

All traffic goes to the services that the run itself has started, on this machine. Every loop ends with the run.
"""
