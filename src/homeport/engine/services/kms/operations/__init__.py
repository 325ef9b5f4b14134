"""The operations of KMS, one noun a file."""
