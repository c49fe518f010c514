"""Long work: a table of jobs, processes that do them, and what can be asked as a job."""
