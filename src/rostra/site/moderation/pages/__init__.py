"""The pages of moderation: for whoever reports or is decided about, for moderators, and for everybody."""
