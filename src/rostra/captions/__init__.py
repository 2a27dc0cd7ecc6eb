"""The captions process: what is said on the air, as text with the speakers' names."""
