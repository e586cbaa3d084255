"""XML with line numbers, read without following anything the file asks for.

Pascal VOC annotations need no document type, and a document type is how XML makes a parser expand entities or open
other files. A file that declares one is refused.
"""

from pathlib import Path
from xml.parsers import expat

MAX_BYTES = 16 * 2**20
MAX_DEPTH = 32


class XmlError(ValueError):
    """The file is not XML we accept. `line` counts from 1; None when the file as a whole is meant."""

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


class Element:
    """One element: its tag, the line it begins on, its text and its children."""

    # There is one for each tag of each file of a data set.
    __slots__ = ("children", "line", "tag", "text")

    def __init__(self, tag: str, line: int) -> None:
        self.tag = tag
        self.line = line
        self.text = ""
        self.children: list[Element] = []

    def child(self, tag: str) -> "Element | None":
        """Return the first child with this tag."""
        for child in self.children:
            if child.tag == tag:
                return child
        return None

    def all(self, tag: str) -> list["Element"]:
        """Return every child with this tag, in file order."""
        return [child for child in self.children if child.tag == tag]


def read(path: Path) -> Element:
    """Read a file's root element. Raises XmlError, and OSError when the file cannot be read."""
    if path.stat().st_size > MAX_BYTES:
        raise XmlError(f"is larger than {MAX_BYTES // 2**20} MiB, too large for an annotation", None)
    return parse(path.read_bytes())


def parse(content: bytes) -> Element:
    """Parse XML from memory. Raises XmlError."""
    parser = expat.ParserCreate()
    top = Element("", 0)
    stack = [top]

    def start(tag: str, _attributes: dict[str, str]) -> None:
        if len(stack) > MAX_DEPTH:
            raise XmlError(f"elements are nested deeper than {MAX_DEPTH}", parser.CurrentLineNumber)
        element = Element(tag, parser.CurrentLineNumber)
        stack[-1].children.append(element)
        stack.append(element)

    def end(_tag: str) -> None:
        element = stack.pop()
        element.text = element.text.strip()

    def text(data: str) -> None:
        stack[-1].text += data

    def doctype(*_declaration: object) -> None:
        raise XmlError("declares a DOCTYPE, which annotations must not have", parser.CurrentLineNumber)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    # Text arrives in one piece instead of one call a line.
    parser.buffer_text = True
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise XmlError(f"is not well-formed XML: {expat.ErrorString(error.code)}", error.lineno) from None
    except ValueError as error:
        if isinstance(error, XmlError):
            raise
        # For instance an encoding that expat does not know.
        raise XmlError(f"is not readable XML: {error}", None) from None
    return top.children[0]
