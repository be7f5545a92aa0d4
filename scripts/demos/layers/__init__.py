"""Demos of the layers inside the service."""
