"""Session Manager's data channel, which both ends of ExecuteCommand speak: the engine and `homeport exec`."""
