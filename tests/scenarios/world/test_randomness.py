from __future__ import annotations

from scenarios.world import HEAVY, LOCAL_NETWORK, LatencyProfile, keyed_fraction, keyed_random


def test_a_key_has_one_fraction_for_ever() -> None:
    assert keyed_fraction(1, "a", 2) == 0.150008525648046
    assert keyed_random(1, "a").random() == 0.34057011213867827


def test_keys_are_told_apart() -> None:
    keys = [("a", "bc"), ("ab", "c"), ("abc",), ("a", "b", "c"), ("1",), (1,), (b"1",)]
    assert len({keyed_fraction(1, *key) for key in keys}) == len(keys)
    assert keyed_fraction(1, "a") != keyed_fraction(2, "a")


def test_fractions_are_spread_evenly() -> None:
    fractions = [keyed_fraction(7, n) for n in range(2000)]
    assert all(0.0 <= fraction < 1.0 for fraction in fractions)
    assert 0.48 < sum(fractions) / 2000 < 0.52


def test_a_profile_stays_within_its_bounds() -> None:
    delays = [LOCAL_NETWORK.delay_us(n / 1000) for n in range(1000)]
    assert (min(delays), max(delays)) == (1000, 2998)


def test_a_heavy_tail_is_as_long_and_as_rare_as_it_says() -> None:
    delays = [HEAVY.delay_us(n / 1000) for n in range(1000)]
    assert sum(delay >= 10_000 for delay in delays) == 100
    assert max(delays) > 90_000_000


def test_only_a_profile_without_delays_is_instant() -> None:
    assert LatencyProfile().is_instant
    assert not LatencyProfile(tail_share=0.1).is_instant
