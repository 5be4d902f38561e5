"""What tests of the shop's storage need: each of them once on each engine."""

import pytest

from tests.databases import database_url, postgres, postgres_url
from tests.shop import fakes

__all__ = ["database_url", "on_each_engine", "postgres", "postgres_url"]


@pytest.fixture
def on_each_engine(database_url, monkeypatch):
    """Shops without a database of the test's own get a new one, once on each engine."""
    monkeypatch.setattr(fakes, "DATABASE_URL", database_url)
