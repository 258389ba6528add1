"""Campaigns: many glaciers with many scenes, planned as tasks, worked on by any number of processes, and what comes of them."""
