"""The map's data: which layers exist, their schemas, stores, import, export, checks, facts."""
