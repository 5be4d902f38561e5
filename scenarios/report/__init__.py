"""How results are shown: to people on a terminal, to machines as JSON."""
