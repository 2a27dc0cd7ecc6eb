"""Kept figures: `python -m benchmarks NAME …`, each beside its reference in the same run."""
