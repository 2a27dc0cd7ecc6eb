"""The entities of Mastodon's API: what each holds, and how the rows of a whole page become them at once."""
