"""The truth report: what happened on an evening, for people who were there and for those who write about it."""
