"""What happened on an evening, computed from its ledger: the standard library only, the same bits everywhere."""
