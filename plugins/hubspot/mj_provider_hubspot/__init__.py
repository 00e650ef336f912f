"""HubSpot as a source."""

from collections.abc import Iterable
from datetime import timedelta

from mj_provider_hubspot.config import Auth, Config
from mj_provider_hubspot.defaults import DEFAULT_FIELD_MAPS
from mjcore.capabilities import Connection, ProviderType, Source
from mjcore.hookspecs import hookimpl


def open_hubspot(connection: Connection[Config, Auth]) -> Source:
    """Open a connection; no request is sent yet."""
    from mj_provider_hubspot.api import open_api
    from mj_provider_hubspot.source import HubSpotSource
    from mj_provider_hubspot.windows import Windows

    api = open_api(connection)
    return HubSpotSource(api, Windows(api, connection.config), connection.now)


@hookimpl
def mj_provider_types() -> Iterable[ProviderType[Config, Auth]]:
    return [
        ProviderType(
            "HubSpot",
            Config,
            Auth,
            open_hubspot,
            label="HubSpot",
            overlap=timedelta(minutes=5),  # the search index shows a change some moments after it was made
            page_size=200,  # of a search; a list gives 100
            rate=(100, timedelta(seconds=10)),  # of a free account; larger ones set RateLimit
            default_field_maps=DEFAULT_FIELD_MAPS,
        )
    ]
