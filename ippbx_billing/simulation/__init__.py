"""Believable traffic (`traffic`) and a PBX to practise on (`practice_pbx`), so that nobody learns on a real one.

The same seed gives the same people, lines and calls.
"""
