"""Sanity checks: does a map change when the weights, or the labels, do?

A small CNN reads digits. Its layers are replaced by untrained ones, from the output
down or one at a time, and a twin learns random labels. A map that stays the same does
not explain what was learnt.
"""
