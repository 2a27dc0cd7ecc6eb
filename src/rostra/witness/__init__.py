"""The witness: ledger and verdict. Nothing of it is built yet."""
