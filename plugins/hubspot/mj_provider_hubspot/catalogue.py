"""What every account has, and no endpoint lists."""

STANDARD = {
    "contacts": "Contacts",
    "companies": "Companies",
    "deals": "Deals",
    "tickets": "Tickets",
    "products": "Products",
    "line_items": "Line items",
    "quotes": "Quotes",
    "leads": "Leads",
    "orders": "Orders",
    "invoices": "Invoices",
    "calls": "Calls",
    "emails": "E-mails",
    "meetings": "Meetings",
    "notes": "Notes",
    "tasks": "Tasks",
}
"""Objects, with labels. Which of them an account has and a token may read is found by asking for their properties."""

TYPE_IDS = {
    "0-1": "contacts",
    "0-2": "companies",
    "0-3": "deals",
    "0-5": "tickets",
    "0-7": "products",
    "0-8": "line_items",
    "0-14": "quotes",
}
"""What custom objects call the standard ones."""

ACTIVITY = ("contacts", "companies", "deals", "tickets")
ASSOCIATED: dict[str, tuple[str, ...]] = {
    "contacts": ("companies", "deals", "tickets"),
    "companies": ("contacts", "deals", "tickets"),
    "deals": ("contacts", "companies", "tickets", "line_items", "quotes"),
    "tickets": ("contacts", "companies", "deals"),
    "line_items": ("deals", "quotes"),
    "quotes": ("deals", "contacts", "companies", "line_items"),
    "leads": ("contacts", "companies"),
    "orders": ("contacts", "companies", "deals", "line_items"),
    "invoices": ("contacts", "companies", "deals", "line_items"),
    **dict.fromkeys(("calls", "emails", "meetings", "notes", "tasks"), ACTIVITY),
}

REQUIRED = {"deals": {"dealname", "dealstage"}, "tickets": {"subject", "hs_pipeline_stage"}}
"""Properties without which HubSpot creates no record; custom objects name theirs in the schema."""

UNIQUE = {"contacts": {"email"}}
"""Unique, though `hasUniqueValue` does not say so."""
