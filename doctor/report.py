"""What the doctor says: findings and notes, for a terminal and as JSON."""

import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from admin.hasura_api import HasuraUnusable

Kind = Literal["lost", "duplicate", "orphaned", "stuck", "misconfigured"]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order of a report: what an author suffers from first. docs/doctor.md says what each means."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: its kind, the post or the setting, what is wrong, and what to do.

    The first line of `cure` is a sentence; those after it, if any, are commands. `post_ids` are the posts that it is
    about, if any.
    """

    kind: Kind
    subject: str
    sentence: str
    cure: str
    post_ids: tuple[int, ...] = ()


def about_posts(kind: Kind, post_ids: Iterable[int], sentence: str, cure: str) -> Finding:
    """A finding whose subject is one post, or several."""
    ids = tuple(sorted(set(post_ids)))
    subject = f"post{'s' * (len(ids) > 1)} {', '.join(map(str, ids))}"
    return Finding(kind, subject, sentence, cure, ids)


def misconfigured(subject: str, sentence: str, cure: str) -> Finding:
    """A setting, or what is set up at Hasura or in the database, is missing or wrong."""
    return Finding("misconfigured", subject, sentence, cure)


class CannotExamine(Exception):
    """Something could not be read, which is a finding by itself."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.sentence)
        self.finding = finding


@dataclass
class Report:
    """What was found; `notes` are what an operator may want to know though nothing is wrong."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, findings: Iterable[Finding]) -> None:
        """Keeps each finding once, in the order of KINDS."""
        self.findings += [finding for finding in dict.fromkeys(findings) if finding not in self.findings]
        self.findings.sort(key=lambda finding: KINDS.index(finding.kind))

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    @contextmanager
    def step(self) -> Iterator[None]:
        """What cannot be read becomes a finding, and the next step follows."""
        try:
            yield
        except CannotExamine as error:
            self.add([error.finding])
        except HasuraUnusable as error:
            self.add([misconfigured(error.subject, error.sentence, error.cure)])


def as_json(report: Report) -> dict[str, Any]:
    """The report as docs/doctor.md describes it."""
    return asdict(report)


def as_text(report: Report) -> str:
    """The report for a terminal. Names and reasons come from others, so control characters are replaced."""
    lines = [line for finding in report.findings for line in _lines(finding)]
    lines += ["", *(f"  {note}" for note in report.notes), ""]
    if report.findings:
        number = len(report.findings)
        lines.append(f"{number} finding{'s' * (number > 1)}.")
    else:
        lines.append("All is well: nothing is lost, duplicate, orphaned, stuck or misconfigured.")
    text = "\n".join(lines).lstrip("\n")
    return "".join(character if character.isprintable() or character == "\n" else "?" for character in text)


def _lines(finding: Finding) -> list[str]:
    indent = " " * 17
    cure, *commands = finding.cure.split("\n")
    return [
        f"  {finding.kind:<13}  {finding.subject}",
        *textwrap.wrap(f"{finding.sentence} {cure}", 100, initial_indent=indent, subsequent_indent=indent),
        *(indent + command for command in commands),  # whole, so that it can be copied
    ]
