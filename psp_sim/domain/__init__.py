"""The provider's nouns. Pure: no IO, no clock, no randomness of their own."""
