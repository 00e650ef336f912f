"""One open HubSpot account."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from mj_provider_hubspot import discovery, owners
from mj_provider_hubspot.api import Api
from mj_provider_hubspot.windows import Windows
from mjcore.records import ExternalRecord, FetchRequest, Page, Watermark
from mjcore.schema import ExternalField, ExternalObject


class HubSpotSource:
    """Implements `Source` and `RecordReader`."""

    def __init__(self, api: Api, windows: Windows, now: Callable[[], datetime]) -> None:
        self._api, self._windows, self._now = api, windows, now

    def test(self) -> Mapping[str, str]:
        try:
            account = self._api.account()
        except discovery.UNREADABLE as error:
            next(discovery.objects(self._api), None)  # a wrong token shows here, if not before
            return {"account": f"not shown: {error}"}
        facts = {
            "account": str(account.portal_id),
            "type": account.account_type,
            "time zone": account.time_zone,
            "currency": account.company_currency,
            **self._api.limits(),
        }
        return {name: value for name, value in facts.items() if value}

    def objects(self) -> Sequence[ExternalObject]:
        found = list(discovery.objects(self._api))
        try:
            self._api.owners(None)
        except discovery.UNREADABLE:
            return found
        return [*found, owners.OBJECT]

    def fields(self, object_name: str) -> Sequence[ExternalField]:
        return owners.FIELDS if object_name == owners.NAME else list(discovery.fields(self._api, object_name))

    def high_watermark(self, object_name: str) -> Watermark | None:
        if object_name == owners.NAME:
            return None
        now = self._api.now(object_name) or self._now()
        return Watermark("Timestamp", now.isoformat(timespec="milliseconds"))

    def fetch(self, request: FetchRequest) -> Page:
        if request.object_name == owners.NAME:
            return owners.page(self._api, request)
        return self._windows.page(request)

    def read(self, object_name: str, ids: Sequence[str], fields: tuple[str, ...]) -> Sequence[ExternalRecord]:
        if object_name == owners.NAME:
            return owners.read(self._api, ids, fields)
        return self._windows.read(object_name, ids, fields)

    def close(self) -> None:
        self._api.http.close()
