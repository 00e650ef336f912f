"""A provider for Acme CRM: cursor pages, soft deletes, its own key header, 429s, webhooks."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from attrs import frozen

from mjcore.capabilities import Connection, ProviderType, Secret, Source
from mjcore.errors import AuthFailed, CheckpointExpired, NotSupported, RateLimited, Unavailable
from mjcore.hookspecs import hookimpl
from mjcore.models import FieldMap
from mjcore.records import ExternalRecord, FetchRequest, Page, Reference, Watermark
from mjcore.schema import ExternalField, ExternalObject, FieldType

if TYPE_CHECKING:
    import httpx

TYPES: dict[str, FieldType] = {"text": "string", "int": "number", "bool": "boolean", "timestamp": "datetime", "ref": "reference"}


@frozen
class Config:
    base_url: str = "https://api.acme.test"


@frozen
class Auth:
    key: Secret
    webhook_secret: Secret | None = None


@contextmanager
def typed_errors() -> Iterator[None]:
    import httpx

    try:
        yield
    except httpx.HTTPStatusError as error:
        response = error.response
        where = f"{response.request.method} {response.request.url.path}: {response.status_code}"
        match response.status_code:
            case 401 | 403:
                raise AuthFailed(where) from None
            case 404:
                raise NotSupported(where) from None
            case 410:
                raise CheckpointExpired(where) from None
            case 429:
                seconds = response.headers.get("Retry-After")
                raise RateLimited(where, timedelta(seconds=float(seconds)) if seconds else None) from None
            case _:
                raise Unavailable(where) from None
    except (httpx.TransportError, json.JSONDecodeError) as error:
        raise Unavailable(type(error).__name__) from None


class AcmeSource:
    def __init__(self, connection: Connection[Config, Auth], http: "httpx.Client") -> None:
        self.connection, self.http = connection, http

    def get(self, path: str, **params: Any) -> Any:
        self.connection.throttle()
        with typed_errors():
            response = self.http.get(path, params={k: v for k, v in params.items() if v is not None})
            response.raise_for_status()
            return response.json()

    def test(self) -> Mapping[str, str]:
        return {"account": str(self.get("/me")["account"])}

    def objects(self) -> Iterable[ExternalObject]:
        for item in self.get("/objects")["data"]:
            yield ExternalObject(item["name"], item["label"], is_custom=item["custom"], deletes="signal")

    def fields(self, object_name: str) -> Iterable[ExternalField]:
        for item in self.get(f"/objects/{object_name}/fields")["data"]:
            kind, targets = TYPES.get(item["type"], "unknown"), tuple(item.get("targets", ()))
            yield ExternalField(item["name"], item["label"], kind, is_read_only=item["readonly"], references=targets)

    def high_watermark(self, object_name: str) -> Watermark | None:  # noqa: ARG002 - one clock for all objects
        return Watermark("Timestamp", self.get("/me")["server_time"])

    def fetch(self, request: FetchRequest) -> Page:
        data = self.get(
            f"/records/{request.object_name}",
            limit=request.limit,
            fields=",".join(request.fields),
            updated_from=request.since and request.since.value,
            updated_before=request.until and request.until.value,
            include_deleted="true",
            cursor=(request.checkpoint or {}).get("cursor"),
        )
        following = {"cursor": data["next"]} if data["next"] else None
        return Page([record(item) for item in data["data"]], next=following, total=data.get("total"))

    def read(self, object_name: str, ids: Sequence[str], fields: tuple[str, ...]) -> Sequence[ExternalRecord]:
        data = self.get(f"/records/{object_name}", ids=",".join(ids), fields=",".join(fields))["data"]
        return [record(item) for item in data]

    def receive(self, headers: Mapping[str, str], body: bytes, url: str) -> Sequence[Reference]:  # noqa: ARG002
        secret = self.connection.auth.webhook_secret
        signed = hmac.new(secret.reveal().encode(), body, hashlib.sha256).hexdigest() if secret else ""
        if not signed or not hmac.compare_digest(signed, headers.get("x-acme-signature", "")):
            raise AuthFailed("webhook signature")
        return [Reference(event["object"], str(event["id"])) for event in json.loads(body)]

    def close(self) -> None:
        self.http.close()


def record(item: Mapping[str, Any]) -> ExternalRecord:
    is_deleted = item["deleted_at"] is not None
    modified = datetime.fromisoformat(item["updated_at"])
    return ExternalRecord(str(item["id"]), item["values"], modified, is_deleted=is_deleted, merged_into=item.get("merged_into"))


def open_acme(connection: Connection[Config, Auth]) -> Source:
    import httpx

    headers = {"X-Acme-Key": connection.auth.key.reveal()}
    return AcmeSource(connection, httpx.Client(base_url=connection.config.base_url, timeout=30, headers=headers))


@hookimpl
def mj_provider_types() -> Iterable[ProviderType[Config, Auth]]:
    maps = {"people": [FieldMap("email", "Email", is_key_field=True), FieldMap("name", "Name")]}
    rate = (100, timedelta(seconds=1))
    return [ProviderType("Acme", Config, Auth, open_acme, label="Acme CRM", rate=rate, default_field_maps=maps)]
