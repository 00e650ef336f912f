"""The work, the same for all: which records, which properties, which columns. No imports: every measured process loads it."""

LIST = "/crm/v3/objects/contacts"
SEARCH = "/crm/v3/objects/contacts/search"
PAGE = 100
"""Records a request, HubSpot's limit."""
BATCH = 1000
"""Records a transaction, mjcore's own."""
PROPERTIES = (
    "firstname", "lastname", "email", "phone", "mobilephone", "jobtitle", "company", "website", "address", "city", "state",
    "zip", "country", "message", "salutation", "hs_language", "lifecyclestage", "hs_lead_status", "hubspot_owner_id",
    "hs_analytics_source", "associatedcompanyid", "hs_email_optout", "createdate", "lastmodifieddate", "hs_object_id",
)  # fmt: skip
"""The 25 that every answer has."""
STAGES = {
    "subscriber": "Lead", "lead": "Lead", "marketingqualifiedlead": "MQL", "salesqualifiedlead": "SQL",
    "opportunity": "Opportunity", "customer": "Customer", "evangelist": "Advocate",
}  # fmt: skip
COLUMNS = (
    "external_id", "first_name", "job_title", "full_name", "email", "phone", "stage", "company_number", "created_on", "modified"
)  # fmt: skip
"""Of the peers' table. mjcore keeps the id and the modified time in its links, and the id in the row as well."""
