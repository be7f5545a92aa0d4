"""What machines report."""
