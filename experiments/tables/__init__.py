"""Do two kinds of LIME and Shapley values tell the same story of a table?

A small network learns the daily rentals of a bicycle scheme. Three explainers are asked
about held-out days: LIME on bins, LIME on slopes, and Shapley values against days of
the training data. Season, weather and kind of day are one feature each.
"""
