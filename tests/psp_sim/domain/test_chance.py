import hashlib
import subprocess
import sys
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from psp_sim.domain.chance import Chance

KEYS = st.lists(st.one_of(st.text(), st.integers()), max_size=4)


@given(st.integers(), KEYS)
def test_a_fraction_is_at_least_zero_and_below_one(seed, key):
    assert 0 <= Chance(seed).fraction(*key) < 1


def test_even_the_largest_hash_gives_a_fraction_below_one(monkeypatch):
    monkeypatch.setattr(
        hashlib, "blake2b", lambda *_, **__: SimpleNamespace(digest=lambda: b"\xff" * 8)
    )
    assert 0.999 < Chance(1).fraction("any") < 1


@given(st.integers(), KEYS, KEYS)
def test_a_draw_does_not_depend_on_what_was_drawn_before(seed, key, other):
    alone = Chance(seed).fraction(*key)
    chance = Chance(seed)
    chance.fraction(*other)
    chance.random(*other).random()
    assert chance.fraction(*key) == alone


def test_another_seed_or_key_draws_another_number():
    drawn = {
        Chance(seed).fraction(*key)
        for seed in (1, 2)
        for key in [("a",), ("b",), ("a", "b"), ("ab",), ("a", 1), ("a", "1")]
    }
    assert len(drawn) == 12


def test_draws_are_spread_evenly():
    drawn = [Chance(3).fraction("order", number) for number in range(4000)]
    assert abs(sum(drawn) / len(drawn) - 0.5) < 0.02
    assert abs(sum(fraction < 0.1 for fraction in drawn) / len(drawn) - 0.1) < 0.02


def test_each_key_has_a_generator_of_its_own():
    chance = Chance(5)
    assert chance.random("a").random() == chance.random("a").random()
    assert chance.random("a").random() != chance.random("b").random()


def test_another_process_draws_the_same():
    code = "from psp_sim.domain.chance import Chance; c = Chance(11); print(c.fraction('é', 2))"
    there = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert float(there.stdout) == Chance(11).fraction("é", 2)
