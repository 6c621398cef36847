"""Parse the last words of programs without a runtime: Swift's fatal errors, C++'s aborts, Bun's crashes."""

from __future__ import annotations

import re

from forensics.model import ExceptionInfo, Frame
from forensics.text.lazy_regex import late
from forensics.text.word_search import WordSearch

# Fatal error: no such order: file /app/Sources/shop.swift, line 13      App/shop.swift:13: Fatal error: no such order
_SWIFT = late(r"(?P<type>Fatal error|Precondition failed|Assertion failed)(?:: (?P<value>[^\n]*))?")
# *** Swift runtime failure: arithmetic overflow ***      💣 Program crashed: Illegal instruction at 0x00005aa0
_SWIFT_CRASH = late(r"(?P<type>Swift runtime failure|Program crashed): (?P<value>[^\n]*)")
# Shop.pay() + 15 in App at /app/Sources/App/shop.swift:72:54      0x5579, Shop.pay() -> () at /app/shop.swift:44
_SWIFT_PLACE = late(r"(?P<file>[^\n:]+(?:\.swift|>)):(?P<line>\d+)")
# terminate called after throwing an instance of 'std::runtime_error'\n  what():  no such order
_THROWN = late(
    r"terminate called after throwing an instance of '(?P<type>[^'\n]+)'(?:\s*what\(\):\s*(?P<value>[^\n]*))?"
)
# libc++abi: terminating due to uncaught exception of type std::runtime_error: no such order
_LIBCXX = late(
    r"libc\+\+abi(?:\.dylib)?: terminating (?:due to|with) uncaught (?:exception of type (?P<type>[\w:<>, ]+?)"
    r"|foreign exception)(?:: (?P<value>[^\n]*))?$",
    re.MULTILINE,
)
# shop: /app/shop.cpp:12: int pay(): Assertion `total > 0' failed.
_ASSERTED = late(r": (?P<type>Assertion) [`'](?P<value>[^\n]{0,400}?)' failed")
# panic(main thread): Segmentation fault at address 0x4290
_BUN = late(r"^[| ]{0,4}(?P<type>panic)\([^)\n]*\): (?P<value>[^\n]*)", re.MULTILINE)
# error: Cannot find module "./pay"      below it, or above: Bun v1.2.8 (Linux x64)
_BUN_ERROR = late(r"^(?P<type>error): (?P<value>[^\n]*)$", re.MULTILINE)
# ==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x60
_SANITIZER = late(r"ERROR: (?P<type>\w+Sanitizer): (?P<value>[^\n]*)")
# double free or corruption (out)      *** stack smashing detected ***: terminated      free(): invalid pointer
_HEAP = late(
    r"^(?:\*\*\* [^\n]*?: )?(?P<value>(?:double free or corruption|corrupted size vs"
    r"|(?:free|malloc|realloc|munmap_chunk)\(\): )[^\n]*"
    r"|\*\*\* stack smashing detected \*\*\*[^\n]*|terminate called without an active exception"
    r"|terminate called recursively)",
    re.MULTILINE,
)
# F0302 00:41:13.084505     7 shop.cc:12] Check failed: total > 0
_CHECKED = late(r"^F\d{4} (?P<before>[^\]\n]*+)\] (?:(?P<type>Check failed): )?(?P<value>[^\n]*)", re.MULTILINE)
_PLACE = late(r"(?P<file>[^\s:]+\.\w+):(?P<line>\d+)$")
# #1  0x00007f in Shop::pay (this=0x1) at /app/shop.cpp:89      #1 0x4f in Shop::pay() /app/shop.cpp:12:3
_FRAME = late(
    r"^[ \t]*+#\d+[ \t]++(?:0x[0-9a-f]+ in )?(?P<function>[^\n]+?)(?: at |[ \t])"
    r"(?P<file>[^\s()]+\.(?:c|cc|cpp|cxx|h|hpp|hh|inl|S)):"
    r"(?P<line>\d+)(?::\d+)?[ \t]*$",
    re.MULTILINE,
)
_FOREIGN = late(
    r"(?:^|/)(?:sysdeps|csu|nptl|stdlib|libio|posix|debug|elf|malloc)/|/usr/(?:include|lib|src)/|libstdc\+\+|/gcc"
    r"|^(?:raise|abort|assert)\.c\Z|^\.\./|sanitizer_common|/compiler-rt/"
)
_MARKS = WordSearch(
    *(".swift", "rogram crashed: ", "terminate called ", "libc++abi", "' failed", "panic(", "Sanitizer: "),
    *(
        "libswift",
        "Swift runtime failure",
        "found nil while",
        "\nBun v",
        "double free",
        "corrupted size",
        "(): invalid",
        "(): ",
        "stack smashing",
        "Check failed",
    ),
)

_SWIFTLY = WordSearch(".swift", "Swift runtime failure", "libswift", "rogram crashed: ", "found nil while")


def may_be(text: str) -> bool:
    """Tell whether a text may contain such words."""
    return _MARKS.is_in(text)


def parse(text: str) -> tuple[ExceptionInfo, ...]:
    """Return the failure in a text; empty without one."""
    found = _swift(text) or _native(text)
    return () if found is None else (found,)


def _swift(text: str) -> ExceptionInfo | None:
    if not _SWIFTLY.is_in(text):
        return None
    header = _SWIFT.search(text)
    if header is None:
        crash = _SWIFT_CRASH.search(text)
        if crash is None:
            return None
        value = crash["value"].removesuffix(" ***").strip()
        return ExceptionInfo(type=crash["type"], value=value, frames=_swift_calls(text, crash.end()))
    value, _, behind = (header["value"] or "").partition(": file ")
    file, _, line = behind.partition(", line ")
    before = text[text.rfind("\n", 0, header.start()) + 1 : header.start()].rpartition(" ")[0].rpartition(" ")[2]
    place = _SWIFT_PLACE.match(before)
    frames = _swift_calls(text, header.end())
    if line[:1].isdigit():
        frames += (_swift_frame(file, line, ""),)
    elif place:
        frames += (_swift_frame(place["file"], place["line"], ""),)
    return ExceptionInfo(type=header["type"], value=value.strip(), frames=frames)


def _swift_calls(text: str, start: int) -> tuple[Frame, ...]:
    found = []
    for line in text[start:].split("\n"):
        function, at, behind = line.rpartition(" at ")
        place = _SWIFT_PLACE.match(behind) if at and behind.startswith("/") else None
        if place:
            found.append(_swift_frame(place["file"], place["line"], function.rpartition("0x")[2].strip()))
    return tuple(reversed(found))


def _swift_frame(file: str, line: str, function: str) -> Frame:
    foreign = "/checkouts/" in file or file.endswith(">")
    foreign = foreign or file.startswith(("Swift/", "NIO", "/usr/", "/home/build-user/swift", "//"))
    number = line[:9].partition(":")[0].rstrip(",. ")
    return Frame(file=file, line=int(number) if number.isdigit() else None, function=function, in_app=not foreign)


def _native(text: str) -> ExceptionInfo | None:
    for pattern in (_THROWN, _LIBCXX, _ASSERTED, _CHECKED, _SANITIZER, _BUN, _HEAP):
        header = pattern.search(text)
        if header is not None:
            return _of_header(text, header)
    failed = _BUN_ERROR.search(text) if "\nBun v" in text else None
    return None if failed is None else _of_header(text, failed)


def _of_header(text: str, header: re.Match[str]) -> ExceptionInfo:
    parts = header.groupdict()
    frames = [_frame(call) for call in _FRAME.finditer(text, header.end())]
    frames.reverse()
    place = _place_before(text, header, parts.get("before"))
    if place is not None:
        frames.append(place)
    return ExceptionInfo(
        type=parts.get("type") or "abort", value=(parts.get("value") or "").strip(), frames=tuple(frames)
    )


def _place_before(text: str, header: re.Match[str], before: str | None) -> Frame | None:
    """Return the place that stands before the words of a failed check: `shop.cpp:12: int pay()`."""
    if before is None:
        before = text[text.rfind("\n", 0, header.start()) + 1 : header.start()]
    for part in before.split(" "):
        place = _PLACE.match(part.rstrip(":"))
        if place:
            return _frame(place)
    return None


def _frame(match: re.Match[str]) -> Frame:
    file = match["file"]
    return Frame(
        file=file,
        line=int(match["line"][:9]),
        function=(match.groupdict().get("function") or "").strip(),
        in_app=_FOREIGN.search(file) is None,
    )
