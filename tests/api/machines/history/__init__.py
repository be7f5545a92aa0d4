"""Random histories of machines, and a model of what the board says of them."""
