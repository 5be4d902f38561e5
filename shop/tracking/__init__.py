"""How the shop learns what became of a payment when no webhook told it."""
