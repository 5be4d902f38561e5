"""What every test of the port needs: an open database, once on each engine."""

import pytest

from sqlport import open_database
from tests.databases import database_url, postgres, postgres_url

__all__ = ["database", "database_url", "postgres", "postgres_url"]


@pytest.fixture
async def database(database_url):
    opened = await open_database(database_url)
    yield opened
    await opened.close()
