"""What the database holds of repos: their records, observations, and what syncs saw."""
