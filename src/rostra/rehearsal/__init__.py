"""The rehearsal: crowds that behave as strangers would, and what they heard."""
