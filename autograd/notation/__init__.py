"""How mathematics is written: formulas of the operation table's rows, as text to be read and as LaTeX."""
