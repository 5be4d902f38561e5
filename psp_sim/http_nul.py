"""The one character that no text may have: PostgreSQL cannot store it, so no database gets it."""

from __future__ import annotations

import re

from starlette.types import Scope

from psp_sim.domain.errors import InvalidRequest, NotFound

# An even number of backslashes before it are characters of their own, and so is then "u0000".
_NUL_IN_JSON = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def refuse_nul_in_target(scope: Scope) -> None:
    """Refuse a path or query with the character NUL. Raises NotFound or InvalidRequest."""
    if "\0" in scope["path"]:
        raise NotFound("there is nothing at a path with the character NUL")
    if b"%00" in scope["query_string"]:
        raise InvalidRequest("the query has the character NUL (%00), which is in no text here")


def refuse_nul_in_json(body: bytes) -> None:
    """Refuse a JSON body in which a text has the character NUL. Raises InvalidRequest."""
    if b"\\u0000" in body and _NUL_IN_JSON.search(body):
        raise InvalidRequest(r"a text in the body has the character NUL (\u0000), which none may")
