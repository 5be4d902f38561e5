import pytest

from psp_sim.domain.faults import parse_fault
from psp_sim.domain.presets import PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_every_fault_of_a_preset_is_one(name):
    for document in PRESETS[name]:
        parse_fault(document)


def test_calm_is_the_only_preset_in_which_nothing_goes_wrong():
    assert [name for name, faults in PRESETS.items() if not faults] == ["calm"]
