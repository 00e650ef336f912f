"""The connection that a command is about: from the store, or from metadata files."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from mj_cli.documents import read_all
from mj_cli.failing import located
from mjcore.errors import UnknownName
from mjcore.models import ConnectionMetadata, Entity, Template

if TYPE_CHECKING:
    from mjcore.kernel import Kernel


@frozen
class Found:
    """A connection, the entities that it may fill, and the templates that it may use."""

    connection: ConnectionMetadata
    entities: Sequence[Entity]
    templates: Sequence[Template]


@contextmanager
def find(kernel: "Kernel", name: str, paths: Sequence[Path] | None) -> Iterator[Found]:
    """Yield the connection of this name. `UnknownName` for one that is none; problems of files carry their lines.

    What files leave out is looked up in the store.
    """
    if not paths:
        (connection,) = kernel.connections(name)
        yield Found(connection, kernel.store.load(Entity), kernel.store.load(Template))
        return
    documents = read_all(paths)
    with located(documents):
        metadata = kernel.read(*(document.data for document in documents))
        known = {connection.name: connection for connection in metadata.connections}
        if name not in known:
            raise UnknownName(f"connection in {', '.join(map(str, paths))}", name, known)
        entities = {e.name: e for e in (*kernel.store.load(Entity), *metadata.entities)}
        templates = {t.id: t for t in (*kernel.store.load(Template), *metadata.templates)}
        yield Found(known[name], list(entities.values()), list(templates.values()))
