"""Reading queries: spelling, syntax, examples, conversations."""
