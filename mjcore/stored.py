"""Reads connections with all that a run needs from the store."""

from collections.abc import Sequence

from mjcore.capabilities import Store
from mjcore.errors import UnknownName
from mjcore.models import Company, CompanyIntegration, ConnectionMetadata, EntityMap, IntegrationProvider, Template


def load_connections(
    store: Store, names: Sequence[str] = (), template: str | None = None, company: str | None = None
) -> list[ConnectionMetadata]:
    """Return connections by name, template or company, all without any of them. `UnknownName` for what is none."""
    companies = {c.id: c for c in store.load(Company)}
    found = list(store.load(CompanyIntegration)) if not names else _named(store, names)
    if template is not None:
        known = {t.name: t.id for t in store.load(Template)}
        if template not in known:
            raise UnknownName("template", template, known)
        found = [c for c in found if c.template_id == known[template]]
    if company is not None:
        ids = {c.name: c.id for c in companies.values()}
        if company not in ids:
            raise UnknownName("company", company, ids)
        found = [c for c in found if c.company_id == ids[company]]
    providers = {p.id: p for p in store.load(IntegrationProvider)}
    return [
        ConnectionMetadata(
            connection,
            companies[connection.company_id],
            providers[connection.integration_provider_id],
            tuple(sorted(store.load(EntityMap, company_integration_id=connection.id), key=lambda m: m.priority)),
        )
        for connection in found
    ]


def _named(store: Store, names: Sequence[str]) -> list[CompanyIntegration]:
    found = [connection for name in dict.fromkeys(names) for connection in store.load(CompanyIntegration, name=name)]
    missing = set(names) - {connection.name for connection in found}
    if missing:
        raise UnknownName("connection", min(missing), [c.name for c in store.load(CompanyIntegration)])
    return found
