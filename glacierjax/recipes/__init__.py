"""Floor 5: whole runs. Configuration files, and the wiring of data, task, training, inference and scores."""
