"""The fast writer of JSON writes what the standard library writes."""

import json

from hypothesis import given
from hypothesis import strategies as st

from psp_sim.json_text import json_text

TEXTS = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=10,
)
compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


@given(VALUES)
def test_both_writers_write_the_same(value):
    assert json_text(value) == compact(value)


def test_every_character_is_written_alike():
    text = "".join(chr(code) for code in range(0x3000) if not 0xD800 <= code < 0xE000) + "😀"
    assert json_text({text: text}) == compact({text: text})
