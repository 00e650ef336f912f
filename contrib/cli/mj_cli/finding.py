"""The connection that a command is about: from the store, or from metadata files."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from mj_cli.documents import read_all
from mj_cli.failing import explained, located
from mjcore.errors import UnknownName
from mjcore.models import ConnectionMetadata, Entity, Template

if TYPE_CHECKING:
    from mjcore.kernel import Kernel

NOWHERE = "sqlite://"
FILE = re.compile(r"sqlite(?:\+\w+)?:///(?P<path>[^?]+)")


@frozen
class Found:
    """A connection, the entities that it may fill, and the templates that it may use."""

    kernel: "Kernel"
    connection: ConnectionMetadata
    entities: Sequence[Entity]
    templates: Sequence[Template]


@contextmanager
def find(store: str, name: str, paths: Sequence[Path] | None) -> Iterator[Found]:
    """Yield the connection of this name: of files, or the stored one. What files leave out is looked up in the store.

    `UnknownName` for one that is none; problems of files carry their lines.
    """
    from mjcore.kernel import Kernel

    documents = read_all(paths or ())
    with Kernel(for_a_look(store) if documents else store) as kernel, located(documents):
        entities, templates = {}, {}
        if documents:
            metadata = kernel.read(*(document.data for document in documents))
            connections = {connection.name: connection for connection in metadata.connections}
            if name not in connections:
                raise UnknownName(f"connection in {', '.join(map(str, paths or ()))}", name, connections)
            connection = connections[name]
            entities, templates = {e.name: e for e in metadata.entities}, {t.id: t for t in metadata.templates}
        else:
            with explained(kernel):
                (connection,) = kernel.connections(name)
        entities = {e.name: e for e in kernel.store.load(Entity)} | entities
        templates = {t.id: t for t in kernel.store.load(Template)} | templates
        yield Found(kernel, connection, list(entities.values()), list(templates.values()))


def for_a_look(store: str) -> str:
    """Return the store's URL, or that of one in memory where the database is not there yet: a look creates no file."""
    named = FILE.fullmatch(store)
    return NOWHERE if named and not Path(named["path"]).exists() else store
