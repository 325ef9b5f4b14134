"""`homeport permissions`: what each role of a stack used of what it was granted, and the tighter policy."""
