"""The code blocks and code spans of a Markdown file."""
import dataclasses
import pathlib
import re

MARKER = re.compile(r"\s*<!-- (not run|saved as):? (.+?) -->\s*$")


@dataclasses.dataclass
class Block:
    """A fenced code block. `line` is the number of its first line of content."""

    page: pathlib.Path
    line: int
    language: str
    text: str
    not_run: str | None = None  # the reason, from <!-- not run: REASON --> before the block
    saved_as: str | None = None  # from <!-- saved as PATH --> before the block

    def lines(self):
        return self.text.splitlines()


def blocks_and_spans(page):
    """Returns the blocks of a page, and (line, text) of each code span outside of them."""
    lines = page.read_text(encoding="utf-8").splitlines()
    blocks, spans, markers, prose, at = [], [], {}, [], 0

    def end_paragraph(at):
        # A span can continue on the next line.
        text = "\n".join(prose)
        for span in re.finditer(r"`([^`]+)`", text):
            line = at + 1 - len(prose) + text.count("\n", 0, span.start())
            spans.append((line, " ".join(span[1].split())))
        prose.clear()

    while at < len(lines):
        fence = re.match(r"(\s*)(`{3,})\s*(\S*)", lines[at])
        if fence:
            end_paragraph(at)
            end = at + 1
            while end < len(lines) and lines[end].strip() != fence[2]:
                end += 1
            text = "".join(line.removeprefix(fence[1]) + "\n" for line in lines[at + 1 : end])
            block = Block(page, at + 2, fence[3], text, markers.get("not run"), markers.get("saved as"))
            blocks.append(block)
            markers, at = {}, end + 1
            continue
        marker = MARKER.match(lines[at])
        if marker or not lines[at].strip():
            end_paragraph(at)
        if marker:
            markers[marker[1]] = marker[2]
        elif lines[at].strip():
            if markers:
                raise ValueError(f"{page}:{at + 1}: the marker above is not before a code block")
            prose.append(lines[at])
        at += 1
    end_paragraph(at)
    if markers:
        raise ValueError(f"{page}:{at}: the last marker is not before a code block")
    return blocks, spans


def console_steps(block):
    """(line, command, expected output) of each `$ command` of a console block."""
    steps, lines, at = [], block.lines(), 0
    if lines and not lines[0].startswith("$ "):
        raise ValueError(f"{block.page}:{block.line}: a console block starts with `$ command`")
    while at < len(lines):
        start, command = at, lines[at][2:]
        while command.endswith("\\") and at + 1 < len(lines):
            at += 1
            command += "\n" + lines[at]
        at += 1
        output = []
        while at < len(lines) and not lines[at].startswith("$ "):
            output.append(lines[at])
            at += 1
        steps.append((block.line + start, command, "\n".join(output).strip("\n")))
    return steps
