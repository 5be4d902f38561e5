"""How the load grows, one shape per file, each handed to locust as one more ``-f``.

From the environment: ``LOAD_USERS``, the most users at a time, and ``LOAD_TIME_S``, for how long.
"""
