"""Search: explicit plans, a portfolio that makes them, and what is done with one that fails."""
