"""The Mastodon client API: its wire rules, entities and routes. What they do is done by the parts beside it."""
