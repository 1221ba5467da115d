"""The demo's people: two customers and an operator, each with the name as password."""

from kafka_shop.users.models import User

CUSTOMERS = ("alice", "bob")
OPERATOR = "admin"


def seed_people() -> None:
    """Makes those who are missing; who exists stays as he is."""
    known = set(User.objects.filter(username__in=[*CUSTOMERS, OPERATOR]).values_list("username", flat=True))
    for name in CUSTOMERS:
        if name not in known:
            User.objects.create_user(name, f"{name}@example.com", name)
    if OPERATOR not in known:
        User.objects.create_superuser(OPERATOR, f"{OPERATOR}@example.com", OPERATOR)
