"""The errors that somebody catches: each names its catcher; expected outcomes are values, not errors."""


class RostraError(Exception):
    """One sentence for a person that says what to do. Caught by `cli`, which prints it and exits 1."""


class BadInputError(RostraError):
    """What a person or a peer sent cannot be used. Caught at the border that received it."""


class BusError(RostraError):
    """The bus did not answer or refused. Caught by whoever can carry on without it."""


class ConflictError(BusError):
    """Somebody else wrote first (compare-and-set failed). Caught by whoever reads again and retries."""


class StorageError(BusError):
    """The bus is there but can keep nothing: its disk is full, JetStream is off. Caught by the publisher."""


class SourceError(RostraError):
    """A sound source cannot be read or is not sound. Caught by the feed, which tells why and ends."""
