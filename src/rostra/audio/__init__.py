"""Pure sound: frames, mixing, dynamics, hold music, encoders and containers."""
