"""Chinese names as written and as heard: characters, pinyin, dialect folding, surname frequencies."""
