"""Long work: a job cut into chunks on disk that goes on after a kill, here or on other machines."""
