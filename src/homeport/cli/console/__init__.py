"""`homeport console`: a team's delivery on one local page, live. A view of what the commands tell."""
