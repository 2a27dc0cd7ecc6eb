"""Talks on the site: announced, changed, cancelled, looked forward to, and told about."""
