"""Experiments: each folder asks one question, and answers it with a figure and numbers."""
