"""Counts what a database refuses, by what kind of trouble it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from service.core.errors import NotReady, StorageFull
from service.storage.databases import Databases
from service.storage.faults import kind_of

_WORDS: Final = {StorageFull: "full", NotReady: "unusable"}


def count_errors(databases: Databases, count: Callable[[str], None]) -> None:
    """Has `count` told "full", "busy" or "unusable" for each statement that failed so.

    What is not the database's fault, such as a name that is taken, is not counted.
    """

    def told(context: ExceptionContext) -> None:
        kind = kind_of(context.original_exception)
        if kind is not None:
            count(_WORDS.get(kind, "busy"))

    engines: set[Engine] = {databases.faces, databases.lookups, databases.keys, databases.audit}
    for engine in engines:
        event.listen(engine, "handle_error", told)
