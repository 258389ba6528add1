"""Lets test files import `helpers`."""
