"""Where a scenario can be played: in a simulated world, or on real processes."""
