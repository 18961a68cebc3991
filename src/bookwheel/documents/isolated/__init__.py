"""Reading untrusted files in a process of its own, which may take so much memory and time and no more."""
