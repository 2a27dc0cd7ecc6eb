"""Timelines: which posts somebody is shown, newest first."""
