"""The stage: from microphones and feeds to the programme."""
