"""The one exception that means: the input does not fit, and here is what would."""


class UsageError(Exception):
    """What a person gave cannot be used.

    The message is one sentence for that person: what was found and what would work. The command line prints it
    without a traceback, a page shows it in place. Anything else that is raised is a bug.
    """
