"""SQL as a text: its statements, and what stands in them. It is read as we write it, no other."""

import re
from collections.abc import Iterator
from itertools import accumulate


def comparable(body: str) -> str:
    """The body of a function, whatever ends its lines: some tools write CRLF on their way to the database."""
    return "\n".join(line.rstrip() for line in body.splitlines()).strip()


_NOT_PLAIN = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\$(?P<tag>\w*)\$(?P<body>.*?)\$(?P=tag)\$", re.DOTALL)


def statements(sql: str) -> Iterator[tuple[str, str]]:
    """Each on one line, without comments, quotation marks, texts and the body of a function; and that body."""
    bodies: list[str] = []

    def without_it(found: re.Match[str]) -> str:
        if found["body"] is None:
            return " '' " if found[0].startswith("'") else " "
        bodies.append(found["body"])
        return f" ${len(bodies) - 1}$ "

    for statement in _NOT_PLAIN.sub(without_it, sql).replace('"', "").split(";"):
        body = re.search(r"\$(\d+)\$", statement)
        yield " ".join(statement.split()), comparable(bodies[int(body[1])]) if body else ""


def split(text: str) -> list[str]:
    """At the commas that are not in parentheses."""
    depths = accumulate((character == "(") - (character == ")") for character in text)
    with_depth = zip(text, depths, strict=True)
    marked = "".join("\n" if (character, depth) == (",", 0) else character for character, depth in with_depth)
    return [part.strip() for part in marked.split("\n")]


def names(listed: str) -> list[str]:
    """Of a drop: ``public.a(bigint, text), b cascade``."""
    return [part.split()[0].removeprefix("public.") for part in without_parentheses(listed).split(",")]


def without_parentheses(text: str) -> str:
    shorter = re.sub(r"\([^()]*\)", " ", text)
    return text if shorter == text else without_parentheses(shorter)
