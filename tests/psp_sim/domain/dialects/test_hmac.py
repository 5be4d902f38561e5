"""Our HMAC keeps what it has made of a key; its answers are those of the standard library."""

import hashlib
import hmac
import random

import pytest

from psp_sim.domain.dialects.dialect import hmac_base64, hmac_hex, hmac_sha256


@pytest.mark.parametrize("key_bytes", [0, 1, 24, 63, 64, 65, 200])
def test_it_is_the_hmac_of_the_standard_library_for_keys_of_every_length(key_bytes):
    source = random.Random(key_bytes)
    key = source.randbytes(key_bytes)
    for content_bytes in (0, 1, 63, 64, 1000):
        content = source.randbytes(content_bytes)
        expected = hmac.digest(key, content, hashlib.sha256)
        assert hmac_sha256(key, content) == hmac_sha256(key, content) == expected


def test_it_is_the_published_vector():
    # RFC 4231, test case 2.
    digest = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hmac_hex(b"Jefe", b"what do ya want for nothing?") == digest
    assert hmac_base64(b"Jefe", b"what do ya want for nothing?").startswith("W9zBRr9g")
