"""People: accounts, posts, timelines, conversations' pages, moderation, and the Mastodon client API."""
