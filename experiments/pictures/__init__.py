"""Do explanations point at the part of a photograph that the answer comes from?

A network learns to say which of five classes a picture holds, from mosaics of real
photographs. It is never told where. In a mosaic of held-out photographs exactly one
quarter is of the class, so the evidence must be there; in a portrait, on the face.
"""
