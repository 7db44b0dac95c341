"""Side-by-side measurements and drills, one command each."""
