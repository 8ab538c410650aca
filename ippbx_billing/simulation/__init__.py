"""Believable traffic and a PBX to practise on."""
