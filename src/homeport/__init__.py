"""homeport: a commit to production on Amazon ECS, at home and on AWS."""

__version__ = "0.1.0"
