"""The development stack: the other side of the wire, on this machine.

Never deployed, and never imports ``shared``: an emulator built from our own client would repeat our misunderstandings.
"""

from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
"""Where the functions, ``hasura/`` and ``web/`` are."""
