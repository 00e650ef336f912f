"""HubSpot's resources as typed calls, one request each."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from attrs import frozen
from mj_http import HttpClient, Response
from mj_http.failure import http_date

from mj_provider_hubspot.config import Auth, Config
from mj_provider_hubspot.errors import classify
from mj_provider_hubspot.messages import (
    Account,
    AssociationList,
    AssociationLists,
    Owners,
    Properties,
    Property,
    Records,
    Schema,
    Schemas,
    records_with,
)
from mj_provider_hubspot.paths import Paths
from mjcore.capabilities import Connection

LIMITS = "x-hubspot-ratelimit-"
LIST_LIMIT = 100
SEARCH_LIMIT = 200
BATCH_LIMIT = 100
URL_LIMIT = 8000
"""Characters of an address that every server on the way accepts."""
SEARCH_BODY_LIMIT = 3000
"""Characters of a search, HubSpot's own limit."""


@frozen
class Api:
    """The calls. Raises `ProviderError`s."""

    http: HttpClient
    paths: Paths
    seen: Mapping[str, str]
    """The newest rate-limit headers."""

    def list_records(
        self, name: str, properties: Sequence[str], *, after: str | None, limit: int, associations: Sequence[str] = ()
    ) -> Records:
        """Return one page of the live records, in HubSpot's own order."""
        params = self._list_params(properties, after, limit, associations)
        return self.http.get(self.paths.objects(name), params).decode(records_with(tuple(properties)))

    def list_archived(self, name: str, *, after: str | None, limit: int) -> Records:
        """Return one page of the archived records: ids and times only."""
        params = {"limit": min(limit, LIST_LIMIT), "after": after, "archived": "true", "properties": "hs_object_id"}
        return self.http.get(self.paths.objects(name), params).decode(Records)

    def list_fits(self, name: str, properties: Sequence[str], associations: Sequence[str]) -> bool:
        """Whether so many properties can be asked for in the address of a list."""
        params = self._list_params(properties, "9" * 20, LIST_LIMIT, associations)
        return len(self.http.url(self.paths.objects(name), params)) <= URL_LIMIT

    def search(self, name: str, query: Mapping[str, Any]) -> Records:
        """Return one page of a search."""
        return self.http.post(f"{self.paths.objects(name)}/search", query).decode(records_with(tuple(query["properties"])))

    def read_records(self, name: str, ids: Sequence[str], properties: Sequence[str]) -> Records:
        """Return up to 100 records by id; those that are gone are left out, a merged one comes as the survivor."""
        body = {"inputs": [{"id": i} for i in ids], "properties": properties, "propertiesWithHistory": []}
        return self.http.post(f"{self.paths.objects(name)}/batch/read", body).decode(records_with(tuple(properties)))

    def read_associations(self, name: str, target: str, inputs: Sequence[Mapping[str, str]]) -> Sequence[AssociationList]:
        """Return what the given records are associated with; `inputs` are `{"id"}`, or `{"id", "after"}` to read on."""
        path = f"{self.paths.associations(name, target)}/batch/read"
        return self.http.post(path, {"inputs": inputs}).decode(AssociationLists).results

    def properties(self, name: str, sensitivity: str | None = None) -> Sequence[Property]:
        """Return the properties of an object; the sensitive ones only where they are asked for."""
        params = {"archived": "false", "dataSensitivity": sensitivity}
        return self.http.get(self.paths.properties(name), params).decode(Properties).results

    def schemas(self) -> Sequence[Schema]:
        """Return the custom objects."""
        return self.http.get(self.paths.schemas).decode(Schemas).results

    def account(self) -> Account:
        """Return what the account says of itself."""
        return self.http.get(self.paths.account).decode(Account)

    def owners(self, after: str | None) -> Owners:
        """Return one page of the owners."""
        return self.http.get(self.paths.owners, {"limit": LIST_LIMIT, "after": after, "archived": "false"}).decode(Owners)

    def owner(self, owner_id: str) -> Mapping[str, Any]:
        """Return one owner."""
        return self.http.get(f"{self.paths.owners}/{quote(owner_id, safe='')}").decode(dict[str, Any])

    def limits(self) -> Mapping[str, str]:
        """Return the account's limits as the last answers showed them, for a person."""
        seen, facts = self.seen, {}
        if (count := seen.get("max")) and (interval := seen.get("interval-milliseconds", "")).isdecimal():
            facts["rate limit"] = f"{count} requests per {int(interval) / 1000:g} s"
        if daily := seen.get("daily"):
            facts["daily limit"] = f"{seen.get('daily-remaining', '?')} of {daily} requests left"
        return facts

    def now(self, name: str) -> datetime | None:
        """Return HubSpot's clock, rounded up to the next second; None where the server does not show it."""
        response = self.http.get(self.paths.objects(name), {"limit": 1})
        response.decode(Records)  # the clock of whoever else answers, such as a guest network's page, is not HubSpot's
        moment = http_date(response.headers.get("date", ""))
        return None if moment is None else moment + timedelta(seconds=1)

    def _list_params(
        self, properties: Sequence[str], after: str | None, limit: int, associations: Sequence[str]
    ) -> Mapping[str, Any]:
        return {
            "limit": min(limit, LIST_LIMIT),
            "after": after,
            "archived": "false",
            "properties": ",".join(properties) or None,
            "associations": ",".join(associations) or None,
        }


def open_api(connection: Connection[Config, Auth]) -> Api:
    """Return the API of a connection."""
    config, token = connection.config, connection.auth.token.reveal()
    seen: dict[str, str] = {}

    def observe(response: Response) -> None:
        headers = response.headers.items()
        seen.update((name.removeprefix(LIMITS), value) for name, value in headers if name.startswith(LIMITS))

    http = HttpClient(
        config.base_url,
        connection.throttle,
        headers={"authorization": f"Bearer {token}", "accept": "application/json"},
        secrets=(token,),
        timeout=config.timeout,
        classify=classify,
        observe=observe,
    )
    return Api(http, Paths(config.api_version), seen)
