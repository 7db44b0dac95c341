"""Text that goes into spreadsheets (表格文件): none of it becomes a formula."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%")


def plain(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if text.lstrip().startswith(_FORMULA) or text.startswith(_FORMULA) else text
