"""What the doctor says."""

from dataclasses import dataclass
from typing import Literal, get_args

Name = Literal["lost", "doubled", "orphaned", "stuck", "misconfigured"]

NAMES: tuple[Name, ...] = get_args(Name)
"""In the order in which they are told: what an author suffers from first.

lost           a post is, or will be, out without its row knowing, or not at all
doubled        a text is out twice
orphaned       one thing is there without the other that belongs to it
stuck          something waits that nobody will come for, or should have come for by now
misconfigured  a setting, or what is set up at Hasura, is missing or wrong
"""


@dataclass(frozen=True)
class Finding:
    """One thing that is not well: what it is called, the post or the setting, and what it is and what to do."""

    name: Name
    subject: str
    sentence: str


class CannotExamine(Exception):
    """Something could not be read, which is a finding by itself."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.sentence)
        self.finding = finding
