"""Faults that other processes put in force or lift, or that fire there, are known here too."""

from __future__ import annotations

from psp_sim.bell import wait_for_ring
from psp_sim.provider import Provider
from psp_sim.relay_rings import look_again_in


async def follow_faults(provider: Provider) -> None:
    """Read the faults anew whenever another process tells of a change, and now and then."""
    while True:
        ring = provider.faults_changed.next_ring()
        if await provider.faults.refresh():
            # Whoever is held back by a fault has to look whether it still is in force.
            provider.delivery_changed.echo()
        await wait_for_ring(ring, look_again_in(provider, None))
