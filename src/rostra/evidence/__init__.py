"""What every process says of itself once a second, signed, and where that waits while nobody hears."""
