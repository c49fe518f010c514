"""The doors: HTTP app, command line, settings, and the questions that they all ask."""
