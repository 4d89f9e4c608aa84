"""Who sends a request to Hasura."""

from collections.abc import Mapping
from dataclasses import dataclass, field

ADMIN = "admin"


@dataclass(frozen=True)
class Session:
    """A role and its session variables: names in lower case, values strings, the role among them."""

    role: str
    variables: Mapping[str, str] = field(default_factory=dict)
