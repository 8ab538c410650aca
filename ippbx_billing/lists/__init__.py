"""What people bring as files: `tariffs` the prices, `people` the directory; `sheets` reads the tables of both.

A list is taken whole or not at all: each problem is told with its line, and a preview says what would change.
"""
