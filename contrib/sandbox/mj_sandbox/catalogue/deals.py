"""Deals."""

from mj_sandbox.blocks import Block
from mj_sandbox.catalogue.structure import CONTACTS_PER_COMPANY, CONTACTS_PER_DEAL, DEAL_STAGES, OWNERS
from mj_sandbox.columns import after_creation, coded, money, numbered, pick
from mj_sandbox.objecttypes import ObjectType, with_system
from mj_sandbox.properties import choice, currency, moment, text

KINDS = ("newbusiness", "existingbusiness")
PRIORITIES = ("low", "medium", "high")


def name(block: Block, _: str) -> list[str | None]:
    """The company and a running number. As many contacts belong to a deal as to a company, so each has its own."""
    companies = enumerate(block.parents("companies", CONTACTS_PER_COMPANY // CONTACTS_PER_DEAL, "name"), block.start + 1)
    return [f"{company} - order {number}" for number, company in companies]


DEALS = ObjectType(
    "deals", "deal", "0-3", 999_999_999_991, 10,
    with_system(
        (
            text("dealname", "Deal Name", name),
            choice("dealstage", "Deal Stage", DEAL_STAGES, pick(DEAL_STAGES)),
            choice("pipeline", "Pipeline", ("default",), pick(("default",))),
            currency("amount", "Amount", money(100, 60_000, 0.1)),
            moment("closedate", "Close Date", after_creation(29, blank=0.3)),
            choice("dealtype", "Deal Type", KINDS, pick(KINDS, 0.3)),
            choice("hs_priority", "Priority", PRIORITIES, pick(PRIORITIES, 0.5)),
            choice("deal_currency_code", "Currency", ("USD", "EUR", "GBP"), pick(("USD", "EUR", "GBP"))),
            choice("hubspot_owner_id", "Deal owner", (), pick(OWNERS, 0.1), external_options=True,
                   referenced_object_type="OWNER"),
            text("description", "Deal Description", pick(("Renewal", "Upgrade", "First order"), 0.6), field_type="textarea"),
            text("order_number", "Order number", coded("O-"), locate=numbered, custom=True, unique=True),
        )
    ),
    shown=(
        "amount", "closedate", "createdate", "dealname", "dealstage", "hs_lastmodifieddate", "hs_object_id", "pipeline",
    ),
    searched=("dealname", "pipeline", "dealstage", "description", "dealtype"),
    group="dealinformation",
    required=("dealname", "dealstage"),
)  # fmt: skip
