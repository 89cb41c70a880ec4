"""Digits with a watermark that gives the class away, until it does not."""
