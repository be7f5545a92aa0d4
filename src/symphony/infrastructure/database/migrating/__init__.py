"""How migrations run while programs of this version, or of the one before, serve requests."""
