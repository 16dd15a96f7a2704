"""Scenarios: numbers that are drawn, what positions lose by them, and what that says."""
