"""The one thing that a verifier catches."""


class FlawError(Exception):
    """Something in the evidence is not as it has to be; the text says what, for a person."""
