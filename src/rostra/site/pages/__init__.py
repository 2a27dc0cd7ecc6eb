"""The site as people see it in a browser; everything for reading and posting works without scripts."""
