"""Training: the step, optimisers and schedules, data parallelism, the loop. Does not import prediction or scores."""
