"""How fast it is: measured in real processes over real HTTP, each figure beside a raw limit."""
