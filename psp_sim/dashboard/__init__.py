"""The dashboard: what happened, why, and the faults, for a person who watches."""
