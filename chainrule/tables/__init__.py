"""People's own tables: from the bytes of a file to columns that a network can learn from.

``reading`` makes cells of bytes, ``cells`` says what a cell is, ``table`` holds them and names a mistake by
its row and column, ``columns`` decides what each column is.
"""
