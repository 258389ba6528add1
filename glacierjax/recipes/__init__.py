"""Whole runs: config files, and the connection of data, task, training, prediction and scores."""
