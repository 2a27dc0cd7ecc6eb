"""What a stranger needs to check a ledger: the standard library and `cryptography`, nothing else of Rostra."""
