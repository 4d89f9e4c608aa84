"""The doctor: says what is lost, doubled, orphaned, stuck or misconfigured, here or in production. It only reads.

For the operator's machine; never deployed.
"""
