"""Do explanations point at the right part of a photograph, where that part is known?"""
