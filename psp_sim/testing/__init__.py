"""A provider for the tests of other projects: started in a moment, clean for each test."""

from psp_sim.testing.psp import NotDelivered, Psp, Refused

__all__ = ["NotDelivered", "Psp", "Refused"]
