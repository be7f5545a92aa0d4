"""The commands of the client, as typer reads them; each imports what it needs when it is run."""
