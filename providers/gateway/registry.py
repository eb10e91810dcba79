"""Find the clients. A provider needs nothing but a file in `providers/clients/`."""

from __future__ import annotations

import inspect
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from .client import Client


@cache
def clients() -> dict[str, type[Client]]:
    """All clients by key, ordered by name. Raises ValueError if two have the same key."""
    package = import_module("providers.clients")
    found: dict[str, type[Client]] = {}
    for module_info in iter_modules(package.__path__):
        module = import_module(f"{package.__name__}.{module_info.name}")
        for client in vars(module).values():
            if _is_client_of(client, module.__name__):
                if client.key in found:
                    raise ValueError(f"Two clients call themselves {client.key!r}.")
                found[client.key] = client
    return dict(sorted(found.items(), key=lambda item: item[1].name.lower()))


def _is_client_of(candidate: object, module: str) -> bool:
    return (
        inspect.isclass(candidate)
        and issubclass(candidate, Client)
        and candidate.__module__ == module
        and not inspect.isabstract(candidate)
    )


def client_for(key: str) -> type[Client] | None:
    """The client with this key; None if an account outlived its client."""
    return clients().get(key)
