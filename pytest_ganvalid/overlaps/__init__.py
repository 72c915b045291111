"""Which rows samples share, and whether by chance: digests, one mergeable sketch, one judge."""
