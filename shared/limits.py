"""Every duration and limit of the product.

They fit into each other (tests/unit/test_limits.py): X_TIMEOUT < DELIVERY_TIMEOUT < LEASE, and more.
"""

from datetime import timedelta

DRAFT_GRACE = timedelta(minutes=1)
"""How far in the past a draft may lie: the time it takes to press the button."""

UNAVAILABLE_RETRY_AFTER = timedelta(seconds=10)
"""A caller who is answered 503 is asked to wait this long."""

LIMIT_RETRY_AFTER = timedelta(hours=1)
"""An author who has reached a limit is asked to wait this long, unless the database says for how long."""

DRAFT_HORIZON = timedelta(days=366)
"""How far ahead a draft may lie."""

CONNECT_TIMEOUT = timedelta(seconds=5)
"""For a connection to anybody. It is part of the timeouts below: each of them is for a whole call, to the last byte."""

KEEP_ALIVE = timedelta(seconds=20)
"""A connection that was not used for so long is not used again. Hasura's server closes an idle one after 30 s."""

X_KEEP_ALIVE = timedelta(seconds=2)
"""The same for a connection to X: an outcome that is unknown has to be reconciled."""

ANSWER_BYTES = 8 * 1024 * 1024
"""An answer that is larger is not read. The largest are a batch of claimed posts and a page of a timeline."""

KEYS_TIMEOUT = timedelta(seconds=5)
"""For an issuer's keys (`jwk_url`), which are fetched in the background."""

KEYS_BYTES = 256 * 1024
MOST_KEYS = 50
"""More than that no issuer publishes."""

KEYS_LIFETIME = timedelta(minutes=5)
"""An issuer's keys are fetched again after this. Those that are known stay in use until others are there."""

KEYS_COOLDOWN = timedelta(seconds=30)
"""An issuer's keys are not fetched again before this is over, whatever tokens come."""

KEYS_WAIT = timedelta(seconds=2)
"""How long a token waits for keys that are being fetched, when its own is not known."""

KEYS_WAITING = 3
"""So many tokens wait for keys at a time; all others are answered at once. A worker has six threads or more."""

X_TIMEOUT = timedelta(seconds=30)
"""For a post on X."""

TIMELINE_TIMEOUT = timedelta(seconds=10)
"""For one page of a timeline."""

TIMELINE_PAGES = 32
"""X shows an account's latest 3,200 tweets, in pages of 100."""

RECONCILE_TIME = timedelta(seconds=20)
"""For reading what X shows of the accounts of a batch, from its claim on."""

HASURA_TIMEOUT = timedelta(seconds=8)
"""For a request to Hasura."""

RECORD_WAITS = (timedelta(milliseconds=200), timedelta(seconds=2))
"""A decision that could not be recorded is recorded again after these."""

DRAIN_TIME = timedelta(seconds=4)
"""The sweep, or the delivery of a post, claims another batch until then: Hasura's poll of such events waits for it."""

WAIT_TIME = timedelta(seconds=60)
"""A delivery that waits, or a follow-up one, claims until then. What it leaves, another follow-up delivery takes."""

WAIT_STEP = timedelta(seconds=1)
"""A waiting delivery asks this often what is due by now. The database regards it as alive for 5 s after each."""

NOTHING_CLAIMED_WAIT = timedelta(milliseconds=200)
"""After a claim that took nothing, though something seemed to be due."""

EARLY_MARGIN = timedelta(seconds=2)
"""A delivery waits for posts that are due up to this later than EARLY_SECONDS: clocks are not the same."""

HANDOVER_TIME = timedelta(seconds=5)
"""A follow-up delivery is asked for so long before the waiting ends, if there is still something to wait for."""

LATEST_START = timedelta(seconds=10)
"""A publisher that is held up longer than this after the claim was asked for does not send."""

BATCH_TIME = timedelta(seconds=21)
"""After its claim nothing is begun for a batch, except to record what is decided. So Hasura waits long enough."""

DELIVERY_TIMEOUT = timedelta(seconds=150)
"""Hasura waits so long for the answer to a delivery (retry_conf)."""

DELIVERY_RETRIES = 5
DELIVERY_RETRY_INTERVAL = timedelta(seconds=15)
"""How often, and after how long, Hasura delivers an event again that was not answered, or without `Retry-After`."""

AT_ONCE = timedelta(seconds=1)
"""After this Hasura delivers an event again at the earliest: it ignores a `Retry-After` of 0."""

LONGEST_RETRY_AFTER = timedelta(minutes=15)
"""Hasura is never asked to deliver an event again later than this; the sweep takes what is due before."""

NOTIFY_TIMEOUT = timedelta(seconds=10)
"""For a notification."""

NOTIFY_ANSWER_BYTES = 1024 * 1024
"""The receiver's status says everything; what it answers beside it is not needed."""

NOTIFY_WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
)
"""After each failure, a notification waits this long; hasura/optional/ has as many retries."""

EVENT_GRACE = timedelta(hours=1)
"""An event stays deliverable so much longer than its post stays publishable."""

FOLLOW_UP_TIME = timedelta(minutes=1)
"""A follow-up delivery that has not come by then is given up: the sweep has come meanwhile."""

MAX_UNRECORDED_EVENTS = 100
"""So many new posts wait at most for their events to be written down on them, after their authors have the answer."""

LEASE = timedelta(minutes=3)
"""How long a claimed post is its caller's."""

BACKOFF = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
"""After each attempt that could not be sent, the post waits this long; the last one repeats."""

JITTER = 0.25
"""Waits are longer by up to this part, by chance."""

MAX_UNSENT = 10
"""After so many attempts that could not be sent, the post fails."""

MAX_UNANSWERED = 10
"""After so many attempts that X did not answer and does not have, the post fails."""

RECONCILE_AFTER = timedelta(seconds=30)
"""When an unknown outcome is first reconciled: what X shows lags behind what it has."""

CLOCK_MARGIN = timedelta(minutes=1)
"""How far the clocks of X, the database and this machine may be apart."""

SURE_AFTER = timedelta(minutes=2) + CLOCK_MARGIN
"""How long after an attempt X surely shows what it has; before that an empty timeline proves nothing."""

RECONCILE_WAITS = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
)
"""How long to wait after each reconciliation for which X could not be asked; after the last one the author decides."""

REJECTION_PAUSE = timedelta(hours=1)
"""X rejects an account or the app without saying until when: it is paused this long."""

MAX_REJECTED = 10
REJECTED_GIVEN_UP = timedelta(days=3)
"""A post that is so late fails when X has rejected its account in so many attempts."""

UNREADABLE_TOKENS_WAIT = timedelta(hours=1)
"""The tokens of an account do not open: it waits this long. Meanwhile the operator may mend the keys."""

DEFAULT_LIMIT_WAIT = timedelta(minutes=15)
"""X does not say when a rate limit ends: it is taken to last this long."""

SHORTEST_LIMIT_WAIT = timedelta(seconds=5)
LONGEST_LIMIT_WAIT = timedelta(hours=25)
"""What X says of a rate limit is believed within these."""

SIGN_IN_WAIT = timedelta(minutes=1)
"""How long after a rejected sign-in the post is attempted again."""

SIGN_IN_PAUSE, LONGEST_SIGN_IN_PAUSE = timedelta(minutes=5), timedelta(hours=6)
"""X goes on rejecting the sign-in of an account: it is paused for as long again as X has done so, within these."""

SIGN_IN_GIVEN_UP = timedelta(days=3)
"""After so long a rejected sign-in fails its post."""
