"""The benchmark: `python -m tests.bench` measures what this tool costs, as ratios to the same work without it."""
