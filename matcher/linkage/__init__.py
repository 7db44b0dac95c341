"""Records of people in any table: which of them are the same person, learned without labels (Fellegi and Sunter)."""
