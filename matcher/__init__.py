"""Pure computing: who could this person be? No database, no HTTP, no settings, no clock."""
