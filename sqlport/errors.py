"""What can go wrong between a service and its database.

DatabaseError               anything else that the database refused
├── BadDatabaseUrl          the address is not one that this port can open
├── DriverMissing           the address is fine, but the library for it is not installed
├── NotADatabase            the file exists and is something else
├── DatabaseUnreachable     no server answers there, or it has gone away
│   └── DatabaseUnwritable  it is there, but the disk under it is full, broken or read-only
├── DatabaseBusy            another process holds the file, or every connection is in use
├── ConstraintBroken        a row would break a rule of its table, such as a second row with its key
└── TransactionConflict     another transaction was in the way: the same again may work
"""

from __future__ import annotations


class DatabaseError(Exception):
    """Base of all; its text is one sentence that tells the reader what to do."""


class BadDatabaseUrl(DatabaseError):
    """The address is not one that this port can open."""


class DriverMissing(DatabaseError):
    """The library that talks to this kind of database is not installed."""


class NotADatabase(DatabaseError):
    """The file exists and is something else."""


class DatabaseUnreachable(DatabaseError):
    """No server answers at the address, or it has gone away.

    If that happened while a transaction ended, it may have taken effect or not.
    """


class DatabaseUnwritable(DatabaseUnreachable):
    """The disk under it is full, broken or read-only: what is stored may still be read."""


class DatabaseBusy(DatabaseError):
    """Another process holds the file, or every connection of this one is in use."""


class ConstraintBroken(DatabaseError):
    """A row would break a rule of its table, such as a second row with the same key."""


class TransactionConflict(DatabaseError):
    """Two transactions waited for each other; this one was given up and nothing of it was kept."""
