"""Where speakers come in: WebRTC in, numbered frames of their seats out."""
