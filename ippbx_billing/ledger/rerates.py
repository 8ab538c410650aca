"""What new tariffs changed (to be written)."""

import sqlite3


class RerateTables:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
