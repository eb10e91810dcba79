"""Names that stored rows, links, or an older version running alongside depend on.

`frozen_names.txt` lists them by section, one per line, so that every change is visible. To add a
name, add a line to that file. A name must not be removed or changed as long as a row may hold it
or an older version may read it.
"""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string

from core import stored_texts
from core.states import StateTable
from providers.gateway import registry
from tools.product_apps import APPS

FILE: Final = Path(__file__).with_name("frozen_names.txt")
ROOT: Final = Path(__file__).resolve().parents[2]
TASK: Final = re.compile(rf"(?:{'|'.join(APPS)})(?:\.\w+)*\.tasks?\.\w+")
WORD: Final = re.compile(r"[a-z][a-z0-9_]+")
NOT_STORED: Final = frozenset(
    {"DateKind", "DecisionOutcome", "Format", "MoneyLine", "OptionKind", "Role", "Wait"}
)
"""Enums whose values are not stored."""
STORED_AS: Final = frozenset({"reason", "problem", "pause_reason", "warnings"})


# --- the names in the code -------------------------------------------------------------


@cache
def modules() -> list[ModuleType]:
    """Every module of the portal, without the sandbox, which is a separate program."""
    found = [import_module(app) for app in APPS]
    for app in tuple(found):
        for info in pkgutil.walk_packages(app.__path__, f"{app.__name__}."):
            parts = info.name.split(".")
            if not {"sandbox", "migrations", "wsgi"} & set(parts):
                found.append(import_module(info.name))
    return found


@cache
def trees() -> list[ast.Module]:
    files = [Path(module.__file__) for module in modules() if module.__file__]
    return [ast.parse(file.read_text(encoding="utf-8")) for file in files]


def nodes() -> Iterator[ast.AST]:
    for tree in trees():
        yield from ast.walk(tree)


def models() -> list[type[Model]]:
    return [model for app in APPS for model in apps.get_app_config(app).get_models()]


def enum_values() -> Iterator[str]:
    for module in modules():
        for each in _enums_of(module):
            app = module.__name__.partition(".")[0]
            yield from (f"{app} {each.__qualname__} {one.value}" for one in each)


def _enums_of(holder: object) -> Iterator[type[Enum]]:
    """String enums defined in `holder`, a module or a class, or in a class of that module."""
    name = getattr(holder, "__name__", "")
    for _, each in inspect.getmembers(holder, inspect.isclass):
        if each.__module__ != (name if isinstance(holder, ModuleType) else holder.__module__):
            continue
        if issubclass(each, str) and issubclass(each, Enum):
            if each.__name__ not in NOT_STORED:
                yield each
        elif isinstance(holder, ModuleType) and not issubclass(each, Enum):
            yield from _enums_of(each)


def states() -> Iterator[str]:
    for module in modules():
        for name, table in inspect.getmembers(module, lambda one: isinstance(one, StateTable)):
            yield from (f"{name} {state}" for state in table.moves)


def permissions() -> Iterator[str]:
    for model in models():
        meta = model._meta
        made = (f"{action}_{meta.model_name}" for action in meta.default_permissions)
        yield from (f"{meta.app_label}.{code}" for code in made)
        yield from (f"{meta.app_label}.{code}" for code, _ in meta.permissions)


def url_names(resolver: URLResolver | None = None, space: str = "") -> Iterator[str]:
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            if pattern.name:
                yield f"{space}{pattern.name}"
        else:
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from url_names(pattern, inner)


def task_paths() -> Iterator[str]:
    """The importable task paths that the code or the frozen file names."""
    named = set(frozen().get("tasks of the queue and of schedules", ()))
    for node in nodes():
        match node:
            case ast.Constant(value=str(text)) if TASK.fullmatch(text):
                named.add(text)
    for path in named:
        try:
            import_string(path)
        except ImportError:
            continue
        yield path


def prefixes() -> Iterator[str]:
    """`order:` of f"order:{pk}", as stored in `subject` and `belongs_to`."""
    for node in nodes():
        match node:
            case ast.JoinedStr(values=[ast.Constant(value=str(text)), ast.FormattedValue()]):
                if re.fullmatch(r"[a-z]+:", text):
                    yield text


def reasons() -> Iterator[str]:
    """Our own words, apart from enums, that the code stores as a reason."""
    constants = defaultdict(set)
    for module in modules():
        for name, value in vars(module).items():
            if type(value) is str and name.isupper():
                constants[name].add(value)
    for node in nodes():
        match node:
            case ast.keyword(arg=str(field), value=value) if field in STORED_AS:
                yield from _words_in(value, constants)
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and key.value in STORED_AS:
                        yield from _words_in(value, constants)


def _words_in(value: ast.AST, constants: Mapping[str, set[str]]) -> Iterator[str]:
    parts = value.elts if isinstance(value, ast.List | ast.Tuple) else [value]
    for part in parts:
        match part:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                words = constants.get(name, set())
            case ast.Constant(value=str(word)):
                words = {word}
            case _:
                words = set()
        yield from filter(WORD.fullmatch, words)


def client_keys() -> Iterator[str]:
    yield from registry.clients()


def environment_names() -> Iterator[str]:
    """NAME of env.str("NAME"), os.environ["NAME"], os.environ.get("NAME")."""
    for node in nodes():
        match node:
            case ast.Call(
                func=ast.Attribute(value=source), args=[ast.Constant(value=str(name)), *_]
            ) if _is_environment(source):
                yield name
            case ast.Subscript(value=source, slice=ast.Constant(value=str(name))):
                if _is_environment(source):
                    yield name


def _is_environment(node: ast.AST) -> bool:
    return ast.unparse(node) in ("env", "os.environ")


def tables() -> Iterator[str]:
    for model in models():
        yield model._meta.db_table
        yield from (field.m2m_db_table() for field in model._meta.local_many_to_many)


def constraints_and_indexes() -> Iterator[str]:
    for model in models():
        for one in (*model._meta.constraints, *model._meta.indexes):
            yield f"{model._meta.db_table} {one.name}"


def stored_text_keys() -> Iterator[str]:
    """Keys in logs, reasons and acts. Tests may declare others."""
    modules()
    yield from (key for key in stored_texts.declared() if not key.startswith("test."))


def cookies() -> Iterator[str]:
    yield settings.SESSION_COOKIE_NAME
    yield settings.CSRF_COOKIE_NAME
    yield settings.LANGUAGE_COOKIE_NAME


def migrations() -> Iterator[str]:
    for app in APPS:
        folder = ROOT / app / "migrations"
        yield from (f"{app}.{path.stem}" for path in folder.glob("0*.py"))


SECTIONS: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "values of enums": enum_values,
    "states of tables": states,
    "reasons": reasons,
    "permissions": permissions,
    "names of addresses": url_names,
    "tasks of the queue and of schedules": task_paths,
    "prefixes of subject and belongs_to": prefixes,
    "keys of clients": client_keys,
    "environment": environment_names,
    "tables": tables,
    "constraints and indexes": constraints_and_indexes,
    "cookies": cookies,
    "migrations": migrations,
    "keys of stored texts": stored_text_keys,
}


# --- the file ------------------------------------------------------------------------


@cache
def frozen() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    section = ""
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
            found[section] = []
        elif line and not line.startswith("#"):
            found[section].append(line)
    return found


@pytest.mark.parametrize("section", list(SECTIONS))
def test_no_frozen_name_is_removed(section: str) -> None:
    lost = sorted(set(frozen()[section]) - set(SECTIONS[section]()))
    assert not lost, (
        f"Lost from [{section}]: {', '.join(lost)}. Stored rows, links, or an older version that"
        " runs beside this one depend on these names: bring them back."
    )


@pytest.mark.parametrize("section", list(SECTIONS))
def test_every_new_name_is_recorded(section: str) -> None:
    new = sorted(set(SECTIONS[section]()) - set(frozen()[section]))
    assert not new, (
        f"New in [{section}]. From now on these names cannot be changed; if they are right, add"
        f" the lines to {FILE.name}:\n" + "\n".join(new)
    )


def test_file_is_sorted_and_has_exactly_the_known_sections() -> None:
    assert list(frozen()) == list(SECTIONS)
    for names in frozen().values():
        assert names == sorted(set(names))
        assert names
