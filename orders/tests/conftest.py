import pytest

from orders import services


@pytest.fixture
def catalogue(db: None) -> None:
    """The sample products are on sale."""
    services.seed_catalogue()
