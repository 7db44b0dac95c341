"""The demonstration: a small invented region, sample photographs, and the story that plays the main job."""
