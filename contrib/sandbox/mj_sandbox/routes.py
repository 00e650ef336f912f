"""From method and path to the function that answers."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from mj_sandbox.api import associations, batch, control, definitions, directory, objects
from mj_sandbox.call import Answer
from mj_sandbox.problems import Problem

Handler = Callable[..., Answer]
ROUTES: Mapping[str, Handler] = {
    "GET objects/*": objects.list_page,
    "POST objects/*": objects.create,
    "POST objects/*/search": objects.search,
    "POST objects/*/merge": objects.merge,
    "POST objects/*/gdpr-delete": objects.gdpr_delete,
    "GET objects/*/*": objects.get,
    "PATCH objects/*/*": objects.update,
    "DELETE objects/*/*": objects.archive,
    "POST objects/*/batch/read": batch.read,
    "POST objects/*/batch/create": batch.create,
    "POST objects/*/batch/update": batch.update,
    "POST objects/*/batch/upsert": batch.upsert,
    "POST objects/*/batch/archive": batch.archive,
    "GET objects/*/*/associations/*": associations.of_record,
    "PUT objects/*/*/associations/default/*/*": associations.put_default,
    "PUT objects/*/*/associations/*/*": associations.put,
    "DELETE objects/*/*/associations/*/*": associations.delete,
    "GET associations/*/*/types": associations.types,
    "GET associations/*/*/labels": associations.labels,
    "POST associations/*/*/batch/read": associations.batch_read,
    "POST associations/*/*/batch/create": associations.batch_create,
    "POST associations/*/*/batch/archive": associations.batch_archive,
    "POST associations/*/*/batch/associate/default": associations.batch_default,
    "GET properties/*": definitions.list_properties,
    "POST properties/*": definitions.create_property,
    "GET properties/*/groups": definitions.groups,
    "GET properties/*/properties": definitions.legacy_properties,
    "GET properties/*/*": definitions.get_property,
    "PATCH properties/*/*": definitions.update_property,
    "DELETE properties/*/*": definitions.archive_property,
    "GET schemas": definitions.schemas,
    "GET schemas/*": definitions.schema,
    "GET owners": directory.owners,
    "GET owners/*": directory.owner,
    "GET pipelines/*": directory.pipelines,
    "GET pipelines/*/*": directory.pipeline,
    "GET pipelines/*/*/stages": directory.stages,
    "GET pipelines/*/*/stages/*": directory.stage,
    "GET details": directory.details,
    "POST token": directory.token,
    "POST _sandbox/edit": control.edit,
    "POST _sandbox/archive": control.archive,
    "POST _sandbox/merge": control.merge,
    "POST _sandbox/create": control.create,
    "POST _sandbox/associate": control.associate,
    "POST _sandbox/token": control.token,
    "POST _sandbox/property": control.rename,
    "POST _sandbox/clock": control.clock,
}
VERSION = re.compile(r"v\d|\d{4}-\d\d")


def resource(path: str) -> tuple[tuple[str, ...], str]:
    """Return (segments without product and version, version): v3, v4 and dated paths name the same resources."""
    segments = [each for each in path.split("/") if each]
    version = next((each for each in segments[:3] if VERSION.fullmatch(each)), "")
    if version:
        segments.remove(version)
    if segments and segments[0] in ("crm", "crm-object-schemas", "account-info", "oauth"):
        del segments[0]
    return tuple(segments), version


def find(method: str, segments: tuple[str, ...]) -> tuple[Handler, tuple[str, ...]]:
    """Return the handler and the texts in the places of stars. Raises Problem 404 or 405."""
    elsewhere = False
    for wanted, pattern, handler in _BY_LENGTH.get(len(segments), ()):
        if all(star in ("*", each) for star, each in zip(pattern, segments, strict=True)):
            if wanted == method:
                return handler, tuple(each for star, each in zip(pattern, segments, strict=True) if star == "*")
            elsewhere = True
    if elsewhere:
        raise Problem(405, "METHOD_NOT_ALLOWED", "HTTP 405 Method Not Allowed")
    raise Problem(404, "OBJECT_NOT_FOUND", "Unable to find the page requested")


def _by_length() -> Mapping[int, list[tuple[str, tuple[str, ...], Handler]]]:
    found: dict[int, Any] = {}
    for text, handler in ROUTES.items():
        method, _, path = text.partition(" ")
        pattern = tuple(path.split("/"))
        found.setdefault(len(pattern), []).append((method, pattern, handler))
    return found


_BY_LENGTH = _by_length()
