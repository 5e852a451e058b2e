"""The four providers, imitated locally: a shop whose purchases really report."""
