"""Does a smaller model give the same explanations as the larger one it stands for?

A network that reads digits is pruned, distilled into a network a tenth its size, into a
soft decision tree and into a linear model. Attributions of each are compared with those
of the network, and with what two networks that differ by their seed agree on.
"""
