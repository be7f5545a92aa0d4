"""What all commands share: standard streams, wrong options, and output in columns."""
