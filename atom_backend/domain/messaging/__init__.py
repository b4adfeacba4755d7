"""Messages, what a mail says, and the conversations that they belong to."""
