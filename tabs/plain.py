"""Text of strangers, such as what the config of a model from the Hub says, inside Markdown."""


def plain(value: object) -> str:
    """Markdown, and HTML, that reads as the value does: no link, picture or tag comes of it."""
    return "".join(char if char.isalnum() or char == " " else f"&#{ord(char)};" for char in str(value))
