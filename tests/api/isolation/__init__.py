"""The isolation matrix: every operation, asked with every kind of token for every place."""
