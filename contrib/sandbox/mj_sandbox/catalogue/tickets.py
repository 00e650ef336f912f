"""Tickets."""

from mj_sandbox.catalogue.structure import CONTACTS_PER_TICKET, OWNERS
from mj_sandbox.columns import after_creation, pick
from mj_sandbox.objecttypes import ObjectType, with_system
from mj_sandbox.properties import choice, moment, several, text
from mj_sandbox.words import SUBJECTS

PRIORITIES = ("LOW", "MEDIUM", "HIGH", "URGENT")
CATEGORIES = ("PRODUCT_ISSUE", "BILLING_ISSUE", "FEATURE_REQUEST", "GENERAL_INQUIRY")
STAGES = ("1", "2", "3", "4")

TICKETS = ObjectType(
    "tickets", "ticket", "0-5", 99_991, CONTACTS_PER_TICKET,
    with_system(
        (
            text("subject", "Ticket name", pick(SUBJECTS)),
            text("content", "Ticket description", pick(("Please help.", "It worked yesterday.", "Twice this week."), 0.2),
                 field_type="textarea"),
            choice("hs_pipeline", "Pipeline", ("0",), pick(("0",))),
            choice("hs_pipeline_stage", "Ticket status", STAGES, pick(STAGES)),
            choice("hs_ticket_priority", "Priority", PRIORITIES, pick(PRIORITIES, 0.3)),
            several("hs_ticket_category", "Category", CATEGORIES, pick((*CATEGORIES, "PRODUCT_ISSUE;BILLING_ISSUE"), 0.4)),
            choice("hubspot_owner_id", "Ticket owner", (), pick(OWNERS, 0.3), external_options=True,
                   referenced_object_type="OWNER"),
            moment("closed_date", "Close date", after_creation(20, blank=0.5), read_only=True),
        )
    ),
    shown=(
        "content", "createdate", "hs_lastmodifieddate", "hs_object_id", "hs_pipeline", "hs_pipeline_stage",
        "hs_ticket_category", "hs_ticket_priority", "subject",
    ),
    searched=("subject", "content", "hs_pipeline_stage", "hs_ticket_category"),
    group="ticketinformation",
    required=("subject", "hs_pipeline_stage"),
)  # fmt: skip
