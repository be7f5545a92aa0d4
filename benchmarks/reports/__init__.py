"""Benchmarks of what machines report, and of the reporter."""
