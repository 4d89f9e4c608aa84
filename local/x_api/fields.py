"""The query parameters that choose what X answers, such as ``tweet.fields``, for which X has more than is emulated."""

from collections.abc import Iterable, Mapping

from local.x_api.problems import Problem, invalid_request

_PARAMETERS_OF_X = ("expansions", "media.fields", "place.fields", "poll.fields", "tweet.fields", "user.fields")
"""Those of all reads of tweets and users (X's docs, "Fields" and "Expansions")."""


def requested_fields(
    query: Mapping[str, str], parameters: Iterable[str], emulated: Iterable[str], others: Iterable[str]
) -> list[str]:
    """The fields that the query asks for. Raises X's 400 for a field that X does not have, which lists those it has.

    `others` are fields of X that are not emulated: a 400 of ours.
    """
    known, others = sorted([*emulated, *others]), set(others)
    requested = [(name, field) for name in parameters if name in query for field in query[name].split(",")]
    for name, field in requested:
        if field in others:
            raise refused_value(name, field, "is not emulated by the development stack")
        if field not in known:
            raise refused_value(name, field, f"is not one of [{','.join(known)}]")
    return [field for _, field in requested]


def refuse_other_parameters(query: Mapping[str, str], known: Iterable[str]) -> None:
    """Raises X's 400 for a query parameter that is not `known` here; one of X's is said to be not emulated."""
    known = list(known)
    for name, value in query.items():
        if name not in known:
            of_x = name in _PARAMETERS_OF_X
            why = "is not emulated by the development stack" if of_x else f"is not one of [{','.join(known)}]"
            raise invalid_request(f"The query parameter [{name}] {why}", {name: [value]})


def refused_value(name: str, value: str, why: str) -> Problem:
    """X's 400 for the value of a query parameter."""
    return invalid_request(f"The `{name}` query parameter value [{value}] {why}", {name: [value]})
