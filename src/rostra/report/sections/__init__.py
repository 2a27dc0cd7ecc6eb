"""The parts of the page below its head, each for readers who want to know one thing more exactly."""
