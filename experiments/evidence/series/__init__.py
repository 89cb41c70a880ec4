"""Series whose cause is known: do explanations find the steps and the channels?

Two sums of squares over a part of the entries of an autoregressive process, and a
recurrent network that learns from two hidden states which channel tells the label. The
recipes and the measures are those of published tables, which stand beside ours.
"""
