"""Where each resource lies, in the numbered and in the dated versions of the API."""

from urllib.parse import quote

from attrs import frozen


@frozen
class Paths:
    """Paths of one API version: `v3` (its associations are v4) or a date such as `2026-09`."""

    version: str

    def objects(self, name: str) -> str:
        return self._path("crm", "objects", _segment(name))

    def properties(self, name: str) -> str:
        return self._path("crm", "properties", _segment(name))

    def associations(self, source: str, target: str) -> str:
        if self.version == "v3":
            return f"/crm/v4/associations/{_segment(source)}/{_segment(target)}"
        return f"/crm/associations/{self.version}/{_segment(source)}/{_segment(target)}"

    @property
    def owners(self) -> str:
        return self._path("crm", "owners")

    @property
    def schemas(self) -> str:
        return f"/crm-object-schemas/{self.version}/schemas"

    @property
    def account(self) -> str:
        return f"/account-info/{self.version}/details"

    def _path(self, area: str, resource: str, *rest: str) -> str:
        version = (self.version, resource) if self.version == "v3" else (resource, self.version)
        return "/" + "/".join((area, *version, *rest))


def _segment(name: str) -> str:
    return quote(name, safe="")
