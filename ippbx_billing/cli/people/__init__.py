"""Departments, employees and extensions."""
