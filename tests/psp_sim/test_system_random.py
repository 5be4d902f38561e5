"""The system's randomness in blocks: as many bits as are asked for, never the same twice."""

from psp_sim.__main__ import SystemRandom


def test_numbers_have_as_many_bits_as_are_asked_for():
    source = SystemRandom()
    for bits in (1, 7, 8, 52, 64, 96, 40_000):
        numbers = [source.getrandbits(bits) for _ in range(300)]
        assert all(0 <= number < 1 << bits for number in numbers)
        assert max(number.bit_length() for number in numbers) > bits - 8
    assert source.getrandbits(0) == 0


def test_no_number_comes_twice_from_one_source_or_two():
    numbers = [
        source.getrandbits(64) for source in (SystemRandom(), SystemRandom()) for _ in "x" * 5000
    ]
    assert len(set(numbers)) == len(numbers)


def test_every_bit_of_a_number_is_one_about_half_of_the_time():
    source = SystemRandom()
    numbers = [source.getrandbits(52) for _ in range(4000)]
    for bit in range(52):
        assert 1600 < sum(number >> bit & 1 for number in numbers) < 2400
