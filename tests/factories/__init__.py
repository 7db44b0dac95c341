"""Small explicit builders; each does what its arguments say and nothing random."""
