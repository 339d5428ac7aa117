"""Whether what a reader of PDF files finds in the transcripts that we write is what was said.

pdf.py DIRECTORY: for each NAME.pdf in it NAME.json has the same transcript as the API shows it (`…/interactions`). Both are written by
`transcripts` of shared/api/tests/it. The text that pypdf takes out of the file, word for word, must be that of the entries: their heads,
their words, the notes on what was interrupted, in this order and nothing between; and each page must end with its foot. What the font
lacks is drawn as U+FFFD and carries what it stands for (ISO 32000-2, 14.9.4, ActualText), which takes its place here as in other readers:
pypdf reads the words of the file, but leaves that to whoever asks.
"""

import copy
import json
import pathlib
import re
import sys

import pypdf

SPEAKERS = {"caller": "Caller", "assistant": "Assistant", "system": "System", "operator": "Operator"}
INTERRUPTED = "… interrupted: no more than this was heard"
TITLE = "Transcript of a call"
# Files that have to be there: one for each language of the product, one in other writing, one of many pages.
LEAST = 7


def said(transcript):
    """The words that have to be found, in their order."""
    words = []
    for item in transcript["items"]:
        seconds = item["start_ms"] // 1000
        words += f"[{seconds // 60:02}:{seconds % 60:02}] {SPEAKERS[item['speaker']]}".split()
        words += item["text"].split()
        if item.get("cut_at_ms") is not None:
            words += INTERRUPTED.split()
    return words


def decoded(string):
    """A text string (ISO 32000-2, 7.9.2.2)."""
    if isinstance(string, bytes):
        return string.decode("utf-16" if string.startswith(b"\xfe\xff") else "latin-1")
    return string


def copied(page):
    """The text of a page as one copies it."""
    meant = []

    def look(operator, operands, _matrix, _text_matrix):
        if operator == b"BDC" and "/ActualText" in operands[1]:
            meant.append(decoded(operands[1]["/ActualText"]))

    text = page.extract_text(visitor_operand_before=look)
    drawn = len(re.findall("\ufffd+", text))
    if drawn != len(meant):
        raise ValueError(f"{drawn} pieces are drawn as lacking, {len(meant)} say what they stand for")
    return re.sub("\ufffd+", lambda _: meant.pop(0), text)


def found(reader, call, problems):
    """The words of all pages without what stands at their feet."""
    words = []
    for number, page in enumerate(reader.pages, 1):
        text = copied(page)
        foot = re.search(rf"\s*Call {call}\s*Page {number} of {len(reader.pages)}\s*$", text)
        if foot is None:
            problems.append(f"page {number} has no foot: …{text[-80:]!r}")
            continue
        words += text[: foot.start()].split()
    return words


def judge(reader, transcript):
    problems = []
    if reader.metadata.title != TITLE:
        problems.append(f"the title is {reader.metadata.title!r}")
    right, read = said(transcript), found(reader, transcript["call_id"], problems)
    if read[: len(TITLE.split())] != TITLE.split():
        problems.append(f"it begins with {read[:8]}")
    # Facts about the call stand between the title and the first entry.
    read = read[read.index(right[0]) if right[0] in read else 0 :]
    for at, (a, b) in enumerate(zip(right, read)):
        if a != b:
            problems.append(f"word {at} is {b!r}, not {a!r}, after {' '.join(right[max(0, at - 5):at])!r}")
            break
    if len(right) != len(read):
        problems.append(f"{len(read)} words are found, not {len(right)}")
    return problems


def faults(transcript):
    """The same with one fault each, which has to be found."""
    for change in (
        lambda items: items[0].update(text=items[0]["text"] + "."),
        lambda items: items[0].update(text=items[0]["text"].split(" ", 1)[1]),
        lambda items: items[-1].update(cut_at_ms=None),
        lambda items: items[0].update(speaker="operator"),
        lambda items: items.reverse(),
        lambda items: items.pop(),
    ):
        changed = copy.deepcopy(transcript)
        change(changed["items"])
        yield changed


def main():
    files = sorted(pathlib.Path(sys.argv[1]).glob("*.pdf"))
    failed = len(files) < LEAST
    if failed:
        print(f"{len(files)} files in {sys.argv[1]}, not {LEAST}: do the tests of shared/api write them?")
    for file in files:
        transcript = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        reader = pypdf.PdfReader(file, strict=True)
        problems = judge(reader, transcript)
        problems += ["a fault was not found" for changed in faults(transcript) if not judge(reader, changed)]
        failed |= bool(problems)
        print(f"{file.name}: {len(said(transcript))} words on {len(reader.pages)} pages, {len(problems)} problems")
        for problem in problems:
            print(f"  {problem}")
    sys.exit(failed)


main()
