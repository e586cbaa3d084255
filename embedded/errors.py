"""What can keep the one-machine stack from running, each as one line that says what to do."""


class StackError(Exception):
    """The stack cannot start or go on; the message is one line for a person."""
