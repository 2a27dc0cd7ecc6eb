"""The site: accounts, posts and pages. Nothing of it is built yet."""
