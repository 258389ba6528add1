"""Evaluation: from predictions to scores and reports."""
