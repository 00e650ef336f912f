"""What the peers share: their arguments, the mapping, and a bare way to page."""

import re
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from datetime import date
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import msgspec

from bench.shape import LIST, PAGE, PROPERTIES, SEARCH, STAGES

NOT_DIGITS = re.compile("[^0-9]")
Row = tuple[str, str | None, str | None, str | None, str | None, str | None, str | None, int | None, date | None, str]


class Given:
    """The arguments of a peer: the account's address, a token, a database and `full` or `changes`."""

    address: str
    token: str
    store: str
    phase: str

    def __init__(self) -> None:
        parser = ArgumentParser()
        for name in ("address", "token", "store", "phase"):
            parser.add_argument(name)
        parser.parse_args(namespace=self)

    @property
    def sqlite(self) -> str | None:
        """The path of an SQLite database, None for PostgreSQL."""
        return self.store.removeprefix("sqlite:///") if self.store.startswith("sqlite") else None


def map_row(record: Mapping[str, Any]) -> Row:
    """The eight field maps by hand, and the id and the modified time."""
    sent = record["properties"]
    phone, company, stage, created = sent["phone"], sent["associatedcompanyid"], sent["lifecyclestage"], sent["createdate"]
    email = sent["email"]
    return (
        record["id"],
        sent["firstname"],
        sent["jobtitle"],
        " ".join(part for part in (sent["firstname"], sent["lastname"]) if part) or None,
        None if email is None else email.lower(),
        None if phone is None else NOT_DIGITS.sub("", phone),
        None if stage is None else STAGES.get(stage, "Unknown"),
        None if company is None else int(company),
        None if created is None else date.fromisoformat(created[:10]),
        sent["lastmodifieddate"],
    )


def listed(after: str | None) -> dict[str, Any]:
    """Return the parameters of a page of the list."""
    params = {"limit": PAGE, "archived": "false", "properties": ",".join(PROPERTIES)}
    return params if after is None else {**params, "after": after}


def changed(since: str, last: str) -> dict[str, Any]:
    """Return the search for what was modified since, paged by id."""
    filters = [
        {"propertyName": "hs_object_id", "operator": "GT", "value": last},
        {"propertyName": "lastmodifieddate", "operator": "GTE", "value": since},
    ]
    sorts = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
    return {"filterGroups": [{"filters": filters}], "sorts": sorts, "limit": 200, "properties": PROPERTIES}


def bare_pages(given: Given, since: str | None = None) -> Iterator[list[Any]]:
    """Yield pages over one connection, decoded, with the least that Python has to offer."""
    connection = HTTPConnection(given.address.removeprefix("http://"))
    headers = {"Authorization": f"Bearer {given.token}", "Content-Type": "application/json"}
    decoder = msgspec.json.Decoder()
    after, last = None, "0"
    while True:
        if since is None:
            connection.request("GET", f"{LIST}?{urlencode(listed(after), safe=',')}", headers=headers)
        else:
            connection.request("POST", SEARCH, msgspec.json.encode(changed(since, last)), headers)
        page = decoder.decode(connection.getresponse().read())
        if page["results"]:
            yield page["results"]
            last = page["results"][-1]["id"]
        after = page.get("paging", {}).get("next", {}).get("after")
        if after is None:
            break
    connection.close()
