"""What runs inside a function's container: the runtime interface clients of Python and Node."""
