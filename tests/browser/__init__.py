"""The main job, walked through the pages in a real browser."""
