"""Load from simulated buyers, and a check that nothing was lost. Imports none of ours."""
