"""`homeport doctor`: what is wrong, why, and the exact change that mends it, each by evidence."""
