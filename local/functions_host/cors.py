"""Cross-origin requests as Core Tools answer them: any method, any header, the listed origins."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Cors:
    """The origins whose pages may call the functions; none of them = no such layer at all."""

    origins: frozenset[str]
    credentials: bool = False

    @classmethod
    def of(cls, origins: str, *, credentials: bool) -> "Cors":
        """From a comma-separated list, as ``--cors`` and ``Host.CORS`` have it."""
        return cls(
            frozenset(origin.strip().rstrip("/") for origin in origins.split(",") if origin.strip()), credentials
        )

    def is_preflight(self, method: str, headers: Mapping[str, str]) -> bool:
        """Whether this layer answers the request, before any routing."""
        asks = method == "OPTIONS" and "Origin" in headers and "Access-Control-Request-Method" in headers
        return asks and bool(self.origins)

    def headers(self, request: Mapping[str, str]) -> dict[str, str]:
        """What the answer to a request with these headers carries; nothing when its origin is not listed."""
        origin = request.get("Origin")
        if origin is None or not self.origins & {origin, "*"}:
            return {}
        allowed = (
            {"Access-Control-Allow-Origin": "*"}
            if "*" in self.origins
            else {
                "Access-Control-Allow-Origin": origin,
                "Vary": "Origin",
            }
        )
        if self.credentials:
            allowed["Access-Control-Allow-Credentials"] = "true"
        return allowed

    def preflight_headers(self, request: Mapping[str, str]) -> dict[str, str]:
        """What the answer to a preflight carries: it allows just what was asked for."""
        allowed = self.headers(request)
        if allowed:
            allowed["Access-Control-Allow-Methods"] = request["Access-Control-Request-Method"]
            if asked := request.get("Access-Control-Request-Headers"):
                allowed["Access-Control-Allow-Headers"] = asked
        return allowed
