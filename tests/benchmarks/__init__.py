"""What an explanation costs, as a multiple of what it cannot do without."""
