"""Incidents that really happen, to a small Rostra in namespaces of its own; the truth of them by re-runs."""
