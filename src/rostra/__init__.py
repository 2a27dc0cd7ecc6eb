"""Rostra: live public audio conversations that start on time, for ten listeners or ten million."""

__version__ = "0.1.0"
