"""The tests, the campaign over random graphs, and the mutation report."""
