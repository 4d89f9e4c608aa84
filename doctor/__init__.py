"""The doctor: says what is lost, duplicate, orphaned, stuck or misconfigured, here or in production. It only reads.

For the operator's machine or a job; never deployed. Needs what doctor/requirements.txt lists.
"""
