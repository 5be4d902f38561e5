"""One small async port over SQL databases. It knows nothing of payments."""

from sqlport.dialect import FOR_UPDATE, SHARED, SKIP_LOCKED
from sqlport.errors import (
    BadDatabaseUrl,
    ConstraintBroken,
    DatabaseBusy,
    DatabaseError,
    DatabaseUnreachable,
    DatabaseUnwritable,
    DriverMissing,
    NotADatabase,
    TransactionConflict,
)
from sqlport.open import open_database
from sqlport.port import Database, Others, Row, Transaction, Value
from sqlport.soon import soon
from sqlport.sqlite import SqliteDatabase

__all__ = [
    "FOR_UPDATE",
    "SHARED",
    "SKIP_LOCKED",
    "BadDatabaseUrl",
    "ConstraintBroken",
    "Database",
    "DatabaseBusy",
    "DatabaseError",
    "DatabaseUnreachable",
    "DatabaseUnwritable",
    "DriverMissing",
    "NotADatabase",
    "Others",
    "Row",
    "SqliteDatabase",
    "Transaction",
    "TransactionConflict",
    "Value",
    "open_database",
    "soon",
]
