"""Posts: their text, how they are made and changed, and who may see them."""
