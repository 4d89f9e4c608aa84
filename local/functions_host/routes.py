"""Routes of HTTP triggers, matched as ASP.NET matches them."""

import re

_PARAMETER = re.compile(r"\{([A-Za-z_]\w*)\}")


class RouteNotEmulated(Exception):
    """A route template uses more than literals and plain ``{name}`` segments."""


class Route:
    """A template such as ``/api/posts/{id}``. Literals match in any case; one trailing slash is ignored."""

    def __init__(self, template: str) -> None:
        segments = template.strip("/").split("/")
        self._pattern = re.compile("".join(f"/{_segment_pattern(segment)}" for segment in segments) + "/?", re.I)
        self.precedence = tuple("{" in segment for segment in segments)
        """Sorts literals before parameters, segment by segment: the more exact route is tried first."""

    def match(self, path: str) -> dict[str, str] | None:
        """The route's parameters when the (decoded) path fits, else None."""
        found = self._pattern.fullmatch(path)
        return found.groupdict() if found else None


def _segment_pattern(segment: str) -> str:
    if parameter := _PARAMETER.fullmatch(segment):
        return f"(?P<{parameter[1]}>[^/]+)"
    if "{" in segment or "}" in segment:
        raise RouteNotEmulated(
            f"route segment {segment} is not emulated here: no constraints, defaults, optional or catch-all parameters."
        )
    return re.escape(segment)
