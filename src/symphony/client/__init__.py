"""The client of the command line: it speaks HTTP to a service, and knows nothing else of it."""
