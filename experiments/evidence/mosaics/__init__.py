"""Does each explainer find the quarter of a mosaic that holds the class, on every seed?

The mosaics, the network and eight of the explainers are those of
`experiments.pictures`; here there are more of them, over several trained networks and
beside networks that have learnt nothing.
"""
