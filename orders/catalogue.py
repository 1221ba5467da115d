"""The sample catalogue: what a new shop sells, as (SKU, name, price in the shop's currency)."""

from decimal import Decimal

PRODUCTS = (
    ("TEA-001", "Black tea, 250 g", Decimal("7.50")),
    ("TEA-002", "Green tea, 250 g", Decimal("8.90")),
    ("COF-001", "Coffee beans, 1 kg", Decimal("19.90")),
    ("MUG-001", "Mug, 300 ml", Decimal("12.00")),
    ("POT-001", "Teapot, 1 l", Decimal("34.50")),
    ("KET-001", "Kettle, 1.7 l", Decimal("59.00")),
    ("GRN-001", "Coffee grinder", Decimal("129.00")),
    ("ESP-001", "Espresso machine", Decimal("899.00")),
)
