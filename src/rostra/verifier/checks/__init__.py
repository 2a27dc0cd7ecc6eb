"""What is checked of a log whose entries are known to be its own: a module for each question."""
