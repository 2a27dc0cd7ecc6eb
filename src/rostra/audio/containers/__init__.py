"""Containers as pure functions: bytes depend on nothing but packets and sample position.

So every listener gets the same bytes, may join at any chunk after the init, and hears no seam when another
process goes on making them. All times are samples since doors-open.
"""
