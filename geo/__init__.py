"""Computing about places: arrays and frames in, results out; no files, no network, no settings."""
