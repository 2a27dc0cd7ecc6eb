"""Pictures, sound and video: made anew from what was uploaded, kept under random names, served as files."""
