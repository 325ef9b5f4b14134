"""`homeport cost`: what a month in AWS costs, resource by resource, and what would cost less."""
