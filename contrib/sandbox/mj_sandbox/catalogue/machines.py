"""Machines: the custom object of a simulated account."""

from mj_sandbox.catalogue.structure import CONTACTS_PER_MACHINE
from mj_sandbox.columns import after_creation, coded, number, numbered, pick
from mj_sandbox.objecttypes import ObjectType, with_system
from mj_sandbox.properties import choice, date, numeric, text, yes_no

STATES = ("running", "idle", "repair", "retired")

MACHINES = ObjectType(
    "machines", "machine", "2-8700012", 9_999_999_971, CONTACTS_PER_MACHINE,
    with_system(
        (
            text("serial_number", "Serial number", coded("MX-"), locate=numbered, custom=True, unique=True),
            text("model", "Model", pick(("Press 200", "Press 400", "Mill 1", "Oven", "Lathe"), 0.05), custom=True),
            choice("state", "State", STATES, pick(STATES), custom=True),
            date("installed_on", "Installed on", after_creation(28, blank=0.2, date=True), custom=True),
            numeric("hours_run", "Hours run", number(0, 40_000, blank=0.1), custom=True),
            yes_no("under_warranty", "Under warranty", pick(("true", "false"), 0.1), custom=True),
        ),
        made="hs_createdate",
    ),
    shown=("hs_createdate", "hs_lastmodifieddate", "hs_object_id", "serial_number"),
    searched=("serial_number", "model"),
    group="machine_information",
    created="hs_createdate",
    required=("serial_number",),
    custom=True,
)  # fmt: skip
