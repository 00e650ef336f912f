"""The object types of every simulated account."""

from mj_sandbox.catalogue.companies import COMPANIES
from mj_sandbox.catalogue.contacts import CONTACTS
from mj_sandbox.catalogue.deals import DEALS
from mj_sandbox.catalogue.goods import LINE_ITEMS, PRODUCTS
from mj_sandbox.catalogue.machines import MACHINES
from mj_sandbox.catalogue.tickets import TICKETS

OBJECT_TYPES = (CONTACTS, COMPANIES, DEALS, TICKETS, PRODUCTS, LINE_ITEMS, MACHINES)
