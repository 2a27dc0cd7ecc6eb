"""Streams: what changes reaches those who look, over Server-Sent Events and WebSocket, while they look."""
