"""Other releases of Symphony, and requests that are sent while one replaces another."""
