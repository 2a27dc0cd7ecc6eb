"""The recorder: hears the bus and writes what is said as it is said."""
