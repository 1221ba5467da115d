"""Which errors speak the shop's own words: one line for a person, that quotes nothing of an event or a row but ids."""

OWN_PACKAGES = {"kafka_shop", "orders", "billing", "notify", "consumers"}


def is_own(module: str) -> bool:
    """Whether a module is the shop's."""
    return module.split(".")[0] in OWN_PACKAGES
