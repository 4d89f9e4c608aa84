"""The development stack: the other side of the wire, on this machine.

Never deployed, and never imports ``shared``: an emulator built from our own client would repeat our misunderstandings.
"""
