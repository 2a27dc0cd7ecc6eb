"""The edge: from the programme to its listeners."""
