"""The harness: runs provider, shop and world together and says which promises held."""
