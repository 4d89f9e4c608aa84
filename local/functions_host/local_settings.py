"""``local.settings.json`` and the precedence that Core Tools give to what is in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.functions_host.function_app import InvalidApp, read_json_object


@dataclass(frozen=True)
class LocalSettings:
    """What the file says; empty when there is none."""

    values: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    cors: str = ""
    cors_credentials: bool = False


def read_local_settings(root: Path) -> LocalSettings:
    """Reads `root`/local.settings.json when it is there. Raises InvalidApp."""
    file = root / "local.settings.json"
    if not file.exists():
        return LocalSettings()
    content = read_json_object(file)
    if content.get("IsEncrypted", True):
        raise InvalidApp(
            f'{file}: encrypted settings are not emulated here; without "IsEncrypted": false they count as such.'
        )
    if content.get("ConnectionStrings"):
        raise InvalidApp(f"{file}: ConnectionStrings are not emulated here. Put them into Values.")
    host = content.get("Host", {})
    return LocalSettings(
        values={
            name: _text(file, name, value) for name, value in content.get("Values", {}).items() if value is not None
        },
        port=host.get("LocalHttpPort"),
        cors=host.get("CORS") or "",
        cors_credentials=host.get("CORSCredentials", False),
    )


def host_settings(local: LocalSettings, root: Path, port: int, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment variables to set: the file's, and those that Core Tools add.

    A variable that is not empty in `environ` wins over all of them.
    """
    settings = {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "PYTHON_ENABLE_DEBUG_LOGGING": "1",
        **local.values,
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
        "FUNCTIONS_CORETOOLS_ENVIRONMENT": "true",
        "WEBSITE_HOSTNAME": f"localhost:{port}",
        "AzureWebJobsScriptRoot": str(root),
    }
    return {name: value for name, value in settings.items() if not environ.get(name)}


def _text(file: Path, name: str, value: Any) -> str:
    """Core Tools take numbers and booleans, too, and write them as .NET does."""
    if isinstance(value, (dict, list)):
        raise InvalidApp(f"{file}: the value of {name} must be a text.")
    if str(value).startswith("@Microsoft.KeyVault("):
        raise InvalidApp(f"{file}: {name} refers to a key vault, which is not emulated here.")
    return str(value)
