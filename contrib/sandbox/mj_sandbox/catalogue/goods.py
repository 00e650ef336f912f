"""Products, and the line items of deals."""

from mj_sandbox.columns import coded, each, money, number, pick
from mj_sandbox.objecttypes import ObjectType, with_system
from mj_sandbox.properties import choice, currency, numeric, text
from mj_sandbox.words import COMPANY_FIRST
from mj_sandbox.words import PRODUCTS as NAMES

PERIODS = ("monthly", "quarterly", "annually")

PRODUCTS = ObjectType(
    "products", "product", "0-7", 991, 100,
    with_system(
        (
            text("name", "Name", each(lambda _, index: f"{COMPANY_FIRST[index // 15 % 66]} {NAMES[index % 15]}")),
            text("description", "Description", pick(("Standard model", "With guarantee", "Refurbished"), 0.5)),
            currency("price", "Unit price", money(5, 2_000)),
            currency("hs_cost_of_goods_sold", "Unit cost", money(1, 900, 0.4)),
            text("hs_sku", "SKU", coded("SKU-")),
            choice("recurringbillingfrequency", "Billing frequency", PERIODS, pick(PERIODS, 0.7)),
        )
    ),
    shown=("createdate", "description", "hs_lastmodifieddate", "hs_object_id", "name", "price"),
    searched=("name", "description", "hs_sku"),
    group="productinformation",
)  # fmt: skip

LINE_ITEMS = ObjectType(
    "line_items", "line_item", "0-8", 999_999_991, 5,
    with_system(
        (
            text("name", "Name", pick(NAMES)),
            numeric("quantity", "Quantity", number(1, 40)),
            currency("price", "Unit price", money(5, 2_000)),
            currency("amount", "Net price", money(5, 60_000), read_only=True, calculated=True),
            numeric("hs_product_id", "Product ID", each(lambda source, index: (
                str(source.others["products"].first_id + index % max(1, source.others["products"].count))
            ))),
        )
    ),
    shown=(
        "amount", "createdate", "hs_lastmodifieddate", "hs_object_id", "hs_product_id", "name", "price", "quantity",
    ),
    searched=("name",),
    group="lineiteminformation",
)  # fmt: skip
