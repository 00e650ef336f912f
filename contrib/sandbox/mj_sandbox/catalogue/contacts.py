"""Contacts."""

import re
import unicodedata
from collections.abc import Iterable

from mj_sandbox.blocks import Block
from mj_sandbox.catalogue.structure import CONTACTS_PER_COMPANY, INDUSTRIES, LIFECYCLE, OWNERS
from mj_sandbox.columns import after_creation, coded, money, number, numbered, phone, pick, place, postcode, repeated, street
from mj_sandbox.objecttypes import ObjectType, with_system
from mj_sandbox.properties import choice, currency, date, moment, numeric, several, text, yes_no
from mj_sandbox.words import FIRST_NAMES, JOB_TITLES, LAST_NAMES

TOPICS = ("events", "offers", "product_news", "research")
TIERS = ("bronze", "silver", "gold", "platinum")
LEAD_STATUS = ("NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED", "ATTEMPTED_TO_CONTACT", "CONNECTED", "BAD_TIMING")
SOURCES = ("ORGANIC_SEARCH", "PAID_SEARCH", "EMAIL_MARKETING", "SOCIAL_MEDIA", "REFERRALS", "DIRECT_TRAFFIC", "OFFLINE")
NOTES = ("Met at the trade fair.", "Prefers e-mail.", "Asked for a quote.", "Speaks German & English.", "Call after 3 pm.")
EMPLOYER = 13
"""One contact in so many works for no known company."""


def plain(name: str) -> str:
    """Return a name as it stands in an e-mail address."""
    return unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()


PLAIN_FIRST, PLAIN_LAST = tuple(map(plain, FIRST_NAMES)), tuple(map(plain, LAST_NAMES))


def email(block: Block, name: str) -> list[str | None]:
    """Addresses at the company's domain; unique, as the number within the company tells namesakes apart."""
    domains = block.parents("companies", CONTACTS_PER_COMPANY, "domain")
    people = zip(block.words("first"), block.words("last"), block.words(name), domains, strict=True)
    addresses = [
        None if word < 2000 or domain is None else _address(first, last, index, domain, shout=word > 64200)
        for index, (first, last, word, domain) in enumerate(people, block.start)
    ]
    return repeated(block, addresses)


def _address(first: int, last: int, index: int, domain: str, *, shout: bool) -> str:
    which = index % CONTACTS_PER_COMPANY or ""
    address = f"{PLAIN_FIRST[first % len(PLAIN_FIRST)]}.{PLAIN_LAST[last % len(PLAIN_LAST)]}{which}@{domain}"
    return address.upper() if shout else address


def holders(value: str) -> Iterable[int]:
    """Return the contacts that may have an address: those of the company whose number ends the domain."""
    found = re.search(r"-(\d+)\.[a-z.]+$", value)
    company = int(found.group(1)) if found else -1
    return range(company * CONTACTS_PER_COMPANY, (company + 1) * CONTACTS_PER_COMPANY + 1)


def employer(block: Block, _: str) -> list[str | None]:
    first = block.source.others["companies"].first_id
    pairs = enumerate(block.words("employer"), block.start)
    return [str(first + index // CONTACTS_PER_COMPANY) if word % EMPLOYER else None for index, word in pairs]


def company(block: Block, _: str) -> list[str | None]:
    """The company's name as typed into the contact: some in capitals, some missing."""
    names = zip(block.words("employer"), block.parents("companies", CONTACTS_PER_COMPANY, "name"), strict=True)
    return [None if name is None or not word % EMPLOYER else name.upper() if word % 31 == 5 else name for word, name in names]


def _first(block: Block, _: str) -> list[str | None]:
    return [None if word > 64900 else FIRST_NAMES[word % len(FIRST_NAMES)] for word in block.words("first")]


def _last(block: Block, _: str) -> list[str | None]:
    return [LAST_NAMES[word % len(LAST_NAMES)] + (" " if word > 65000 else "") for word in block.words("last")]


def full_name(block: Block, _: str) -> list[str | None]:
    parts = zip(block.values("firstname"), block.values("lastname"), block.values("email"), strict=True)
    return [" ".join(filter(None, (first, last))).strip() or address for first, last, address in parts]


CONTACTS = ObjectType(
    "contacts", "contact", "0-1", 99_999_999_951, 1,
    with_system(
        (
            text("firstname", "First Name", _first),
            text("lastname", "Last Name", _last),
            text("email", "Email", email, unique=True, locate=holders,
 hint={"textDisplayHint": "email"}),
            text("phone", "Phone Number", phone, field_type="phonenumber"),
            text("mobilephone", "Mobile Phone Number", phone, field_type="phonenumber"),
            text("jobtitle", "Job Title", pick(JOB_TITLES, 0.08)),
            text("company", "Company Name", company),
            text("website", "Website URL", hint={"textDisplayHint": "domain_name"}),
            text("address", "Street Address", street),
            text("city", "City", place(0)),
            text("state", "State/Region", place(1)),
            text("zip", "Postal Code", postcode),
            text("country", "Country/Region", place(3)),
            text("industry", "Industry", pick(INDUSTRIES, 0.3)),
            text("message", "Message", pick(NOTES, 0.7), field_type="textarea"),
            text("salutation", "Salutation", pick(("Mr", "Ms", "Dr", "Mx"), 0.5)),
            text("hs_language", "Preferred language", pick(("en", "de", "fr", "es", "sv"), 0.2)),
            choice("lifecyclestage", "Lifecycle Stage", LIFECYCLE, pick((*LIFECYCLE, "lead", "lead", "customer"), 0.02)),
            choice("hs_lead_status", "Lead Status", LEAD_STATUS, pick(LEAD_STATUS, 0.4)),
            choice("hubspot_owner_id", "Contact owner", (), pick(OWNERS, 0.2), external_options=True,
                   referenced_object_type="OWNER"),
            choice("hs_analytics_source", "Original Traffic Source", SOURCES, pick(SOURCES), read_only=True),
            numeric("associatedcompanyid", "Primary Associated Company ID", employer, referenced_object_type="COMPANY"),
            text("annualrevenue", "Annual Revenue", number(10, 9_000, step=10, blank=0.5)),
            currency("total_revenue", "Total Revenue", money(0, 60_000, 0.6), read_only=True, calculated=True),
            yes_no("hs_email_optout", "Unsubscribed from all email", pick(("true", "false", "false", "false"), 0.3)),
            moment("notes_last_contacted", "Last Contacted", after_creation(25, blank=0.4), read_only=True),
            moment("hs_email_last_open_date", "Last marketing email open date", after_creation(20, blank=0.5), read_only=True),
            date("contract_start", "Contract start", after_creation(29, blank=0.6, date=True), custom=True),
            text("customer_number", "Customer number", coded("C-", 0.1), locate=numbered, custom=True, unique=True),
            choice("customer_tier", "Customer tier", TIERS, pick(TIERS, 0.5), custom=True),
            several("newsletter_topics", "Newsletter topics", TOPICS,
                    pick((*TOPICS, "events;offers", "product_news;research;events"), 0.4), custom=True),
            currency("credit_limit", "Credit limit", number(0, 50_000, step=500, blank=0.5), custom=True),
            numeric("satisfaction", "Satisfaction", number(0, 10, blank=0.6), custom=True),
            text("hs_full_name_or_email", "Full name or email", full_name,
                 read_only=True, calculated=True),
            text("hs_merged_object_ids", "Merged record IDs", read_only=True, hidden=True),
            text("hs_calculated_merged_vids", "Merged vids with timestamps", read_only=True, hidden=True),
        ),
        changed="lastmodifieddate",
    ),
    shown=("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    searched=("firstname", "lastname", "email", "phone", "company", "hs_full_name_or_email"),
    group="contactinformation",
    modified="lastmodifieddate",
)  # fmt: skip
