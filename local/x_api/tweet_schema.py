"""The JSON body of ``POST /2/tweets``: X's schema, and X's messages for what violates it.

Source: X's OpenAPI file 2.167, ``TweetCreateRequest``. Unknown keys are refused at every level.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_ID = {"type": "string", "pattern": "^[0-9]{1,19}$"}


def _object(properties: Mapping[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    return {"type": "object", "properties": properties, "required": required}


def _array(items: Schema, least: int = 0, most: int = 10) -> Schema:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


NEW_TWEET = _object(
    {
        "text": _TEXT,
        "reply": _object(
            {
                "in_reply_to_tweet_id": _ID,
                "exclude_reply_user_ids": _array(_ID),
                "auto_populate_reply_metadata": _FLAG,
            },
            required=("in_reply_to_tweet_id",),
        ),
        "media": _object({"media_ids": _array(_ID, 1, 4), "tagged_user_ids": _array(_ID)}, required=("media_ids",)),
        "quote_tweet_id": _ID,
        "poll": _object(
            {
                "options": _array({"type": "string", "minLength": 1, "maxLength": 25}, 2, 4),
                "duration_minutes": {"type": "integer", "minimum": 5, "maximum": 10080},
            },
            required=("options", "duration_minutes"),
        ),
        "reply_settings": {"type": "string", "enum": ["following", "mentionedUsers", "subscribers", "verified"]},
        "community_id": _ID,
        "share_with_followers": _FLAG,
        "edit_options": _object({"previous_post_id": _ID}, required=("previous_post_id",)),
        "made_with_ai": _FLAG,
        "paid_partnership": _FLAG,
        "nullcast": _FLAG,
        "for_super_followers_only": _FLAG,
        "geo": _object({"place_id": _TEXT}),
        "card_uri": _TEXT,
        "direct_message_deep_link": _TEXT,
    }
)

MUTUALLY_EXCLUSIVE = ("poll", "quote_tweet_id", "direct_message_deep_link", "media", "card_uri")

EMULATED = {"text", "reply", "media", "quote_tweet_id", "reply_settings", "made_with_ai", "paid_partnership"}
"""The keys that the stack acts upon, or that change nothing a client can see."""


def violations(value: Any, schema: Schema, path: str = "$") -> Iterator[str]:
    """One message for each violation, in the order of the value."""
    found = _type_name(value)
    if found != schema["type"]:
        yield f"{path}: {found} found, {schema['type']} expected"
    elif found == "object":
        yield from _object_violations(value, schema, path)
    elif found == "array":
        yield from _array_violations(value, schema, path)
    elif found == "string":
        yield from _string_violations(value, schema, path)
    elif found == "integer":
        yield from _integer_violations(value, schema, path)


def _type_name(value: Any) -> str:
    names = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _object_violations(value: dict[str, Any], schema: Schema, path: str) -> Iterator[str]:
    for key, member in value.items():
        if key in schema["properties"]:
            yield from violations(member, schema["properties"][key], f"{path}.{key}")
        else:
            yield f"{path}.{key}: is not defined in the schema and the schema does not allow additional properties"
    for key in schema["required"]:
        if key not in value:
            yield f"{path}.{key}: is missing but it is required"


def _array_violations(value: list[Any], schema: Schema, path: str) -> Iterator[str]:
    if len(value) < schema["minItems"]:
        yield f"{path}: there must be a minimum of {schema['minItems']} items in the array"
    if len(value) > schema["maxItems"]:
        yield f"{path}: there must be a maximum of {schema['maxItems']} items in the array"
    for index, item in enumerate(value):
        yield from violations(item, schema["items"], f"{path}[{index}]")


def _string_violations(value: str, schema: Schema, path: str) -> Iterator[str]:
    if "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        yield f"{path}: does not match the regex pattern {schema['pattern']}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: does not have a value in the enumeration [{', '.join(schema['enum'])}]"
    if len(value) < schema.get("minLength", 0):
        yield f"{path}: must be at least {schema['minLength']} characters long"
    if len(value) > schema.get("maxLength", len(value)):
        yield f"{path}: may only be {schema['maxLength']} characters long"


def _integer_violations(value: int, schema: Schema, path: str) -> Iterator[str]:
    if value < schema["minimum"]:
        yield f"{path}: must have a minimum value of {schema['minimum']}"
    if value > schema["maximum"]:
        yield f"{path}: must have a maximum value of {schema['maximum']}"
