"""Companies."""

from mj_sandbox.blocks import Block
from mj_sandbox.catalogue.structure import INDUSTRIES, LIFECYCLE, OWNERS
from mj_sandbox.columns import coded, money, number, numbered, phone, pick, place, postcode, repeated, street
from mj_sandbox.objecttypes import ObjectType, with_system
from mj_sandbox.properties import choice, currency, numeric, text, yes_no
from mj_sandbox.words import COMPANY_FIRST, COMPANY_FORMS, COMPANY_SECOND, ENDINGS

KINDS = ("PROSPECT", "PARTNER", "RESELLER", "VENDOR", "OTHER")


def name(block: Block, _: str) -> list[str | None]:
    parts = zip(block.words("first"), block.words("second"), block.words("form"), strict=True)
    return [
        f"{COMPANY_FIRST[a % len(COMPANY_FIRST)]} {COMPANY_SECOND[b % len(COMPANY_SECOND)]} {COMPANY_FORMS[c % 10]}".strip()
        for a, b, c in parts
    ]


def domain(block: Block, _: str) -> list[str | None]:
    """Domains of the name and a number, so that each is its company's own."""
    parts = zip(block.words("first"), block.words("second"), range(block.start, block.stop), strict=True)
    hosts: list[str | None] = [
        f"{COMPANY_FIRST[a % len(COMPANY_FIRST)]}-{COMPANY_SECOND[b % len(COMPANY_SECOND)]}-{index}.{ENDINGS[b % 4]}".lower()
        for a, b, index in parts
    ]
    return repeated(block, hosts)


def website(block: Block, _: str) -> list[str | None]:
    pairs = zip(block.values("domain"), block.words("website"), strict=True)
    return [None if word % 9 == 0 or not host else f"{('https', 'http')[word % 2]}://www.{host}" for host, word in pairs]


COMPANIES = ObjectType(
    "companies", "company", "0-2", 9_999_999_991, 10,
    with_system(
        (
            text("name", "Company name", name),
            text("domain", "Company Domain Name", domain, hint={"textDisplayHint": "domain_name"}),
            text("website", "Website URL", website),
            text("phone", "Phone Number", phone, field_type="phonenumber"),
            text("address", "Street Address", street),
            text("city", "City", place(0)),
            text("state", "State/Region", place(1)),
            text("zip", "Postal Code", postcode),
            text("country", "Country/Region", place(3)),
            choice("industry", "Industry", INDUSTRIES, pick(INDUSTRIES, 0.2)),
            choice("type", "Type", KINDS, pick(KINDS, 0.4)),
            choice("lifecyclestage", "Lifecycle Stage", LIFECYCLE, pick(LIFECYCLE)),
            choice("hubspot_owner_id", "Company owner", (), pick(OWNERS, 0.2), external_options=True,
                   referenced_object_type="OWNER"),
            numeric("numberofemployees", "Number of Employees", number(1, 5_000, blank=0.3)),
            currency("annualrevenue", "Annual Revenue", money(50_000, 115_000, 0.3)),
            text("founded_year", "Year Founded", number(1890, 2025, blank=0.4)),
            text("description", "Description", pick(("Supplier", "Family business", "Listed; audited yearly"), 0.6),
                 field_type="textarea"),
            yes_no("is_public", "Is Public", pick(("true", "false"), 0.5)),
            text("account_number", "Account number", coded("A-", 0.05), locate=numbered, custom=True, unique=True),
            text("hs_merged_object_ids", "Merged record IDs", read_only=True, hidden=True),
        )
    ),
    shown=("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    searched=("name", "domain", "website", "phone"),
    group="companyinformation",
)  # fmt: skip
