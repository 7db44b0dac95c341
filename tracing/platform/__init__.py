"""Plumbing: settings, database, encryption, storage, jobs, audit, logs."""
