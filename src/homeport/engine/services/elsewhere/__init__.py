"""The AWS services that are not homeport's own: answered by moto in the process, or by an emulator at a URL."""
