"""A user of X as ``GET /2/users/me`` shows it: three fields always, others when ``user.fields`` asks for them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from local.x_api.fields import requested_fields
from local.x_api.storage import User

PARAMETER = "user.fields"
_ALWAYS = ("id", "name", "username")

_FIELDS: dict[str, Callable[[User], Any]] = {
    "description": lambda _: "",
    "id": lambda user: str(user.id),
    "name": lambda user: user.username,
    "protected": lambda _: False,
    "url": lambda _: "",
    "username": lambda user: user.username,
    "verified": lambda _: False,
    "verified_type": lambda _: "none",
}
_NOT_EMULATED = (
    "affiliation", "confirmed_email", "connection_status", "created_at", "entities", "is_identity_verified", "location",
    "most_recent_tweet_id", "parody", "pinned_tweet_id", "profile_banner_url", "profile_image_url", "public_metrics",
    "receives_your_dm", "subscription", "subscription_type", "verified_followers_count", "withheld",
)  # fmt: skip


def user_fields_from(query: Mapping[str, str]) -> list[str]:
    """The requested fields. Raises X's 400."""
    return requested_fields(query, [PARAMETER], _FIELDS, _NOT_EMULATED)


def rendered_user(user: User, fields: Iterable[str]) -> dict[str, Any]:
    """The user with `fields` and those that X always sends."""
    return {name: _FIELDS[name](user) for name in dict.fromkeys((*_ALWAYS, *fields))}
