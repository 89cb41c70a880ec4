"""XAI-TRIS: do explanations of tetromino classifiers mark the tetrominoes?

Four tasks, two kinds of noise, and a right answer for every pixel. Correlated noise is
where it hurts: a network then reads pixels that say nothing of the class, to subtract
the noise they share with those that do.
"""
