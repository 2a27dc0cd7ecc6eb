"""The routes of Mastodon's client API: each translates a request into one call of the site's parts, and back."""
