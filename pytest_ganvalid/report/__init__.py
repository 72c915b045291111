"""Telling: text for terminals, JSON and HTML files."""
