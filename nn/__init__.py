"""Neural networks built from scalars."""
