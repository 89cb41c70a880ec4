"""Evidence: benchmarks whose right answer is known, over several seeds."""
