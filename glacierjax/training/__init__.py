"""Training: the step, optimisers and schedules, data parallelism, the loop (blind to inference and scores)."""
