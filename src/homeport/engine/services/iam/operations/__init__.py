"""The operations of IAM, one noun a file."""
