"""NATS with JetStream: connection, subjects, streams, leases and the embedded server."""
