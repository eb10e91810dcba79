"""Finds the clients. A file in `providers/clients/` is all that a provider needs."""

from __future__ import annotations

import inspect
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from .client import Client


@cache
def clients() -> dict[str, type[Client]]:
    """Every client by its key, ordered by name."""
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
    """The client of that key; None where an account outlived its client."""
    return clients().get(key)
