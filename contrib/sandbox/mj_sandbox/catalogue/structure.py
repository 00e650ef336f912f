"""Which generated record belongs to which, by index."""

CONTACTS_PER_COMPANY = 10
CONTACTS_PER_DEAL = 10
CONTACTS_PER_TICKET = 20
CONTACTS_PER_MACHINE = 20
LINE_ITEMS_PER_DEAL = 2
OWNERS = tuple(str(9_100_001 + 37 * number) for number in range(8))
LIFECYCLE = (
    "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist", "other",
)  # fmt: skip
DEAL_STAGES = (
    "appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "decisionmakerboughtin", "contractsent", "closedwon",
    "closedlost",
)  # fmt: skip
INDUSTRIES = (
    "ACCOUNTING", "AUTOMOTIVE", "BANKING", "BIOTECHNOLOGY", "CHEMICALS", "COMPUTER_SOFTWARE", "CONSTRUCTION",
    "CONSUMER_GOODS", "FOOD_PRODUCTION", "HOSPITAL_HEALTH_CARE", "INFORMATION_TECHNOLOGY_AND_SERVICES",
    "LOGISTICS_AND_SUPPLY_CHAIN",
    "MACHINERY", "PACKAGING_AND_CONTAINERS", "RETAIL", "TEXTILES", "TRANSPORTATION_TRUCKING_RAILROAD", "UTILITIES", "WHOLESALE",
)  # fmt: skip
