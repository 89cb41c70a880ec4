"""Experiments: each folder asks one question, and answers it in figures and numbers."""
