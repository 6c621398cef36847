"""Check a rule's regular expression against RE2, and say what to write instead of what RE2 refuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import re2

from forensics.schema.template_check import PROVIDED

if TYPE_CHECKING:
    from forensics.schema.diagnostics import Diagnostics, Location

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False

_INSTEAD = (
    (r"\(\?<?[=!]", "RE2 has no look-around; match the plain text and exclude the rest with 'not:'"),
    (r"\\[1-9]|\(\?P=", "RE2 has no back-references; name both places and let 'not:' or two leaves decide"),
    (r"\(\?>|[*+?}]\+", "RE2 has no atomic groups or possessive quantifiers, and never backtracks; leave them out"),
    (r"\(\?#", "RE2 has no comments in patterns; use a YAML comment"),
    (r"\(\?[imsU-]*[aLux]", "RE2 knows the flags i, m, s and U only; write verbose patterns on one line"),
    (r"\(\?\(", "RE2 has no conditional groups; use 'any:' with two patterns"),
    (r"\\Z", r"Python's \Z is \z in RE2"),
    (r"\\[uUN]", r"write the character itself, or \x{1F6A8}"),
    (r"\\[hHRKG]", r"RE2 has \s, \d, \w, \b and their opposites"),
    (r"\\p", r"RE2 has \pL, \pN, \p{Greek} and the like"),
    (r"invalid repetition size", "RE2 repeats at most 1000 times"),
)
"""Signs of what RE2 refuses, with what to write instead; looked for in the pattern and in RE2's own words."""
_COUNT_FROM_NOTHING = re.compile(r"\{,\d+\}")
"""`{,3}`: up to three in Python, but the four characters themselves in RE2."""
_GROUP_NAME = re.compile(r"(?<!\\)\(\?P?<(?P<name>\w+)>")
_GOOD_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


def check_pattern(pattern: str, location: Location, diagnostics: Diagnostics) -> bool:
    """Tell whether RE2 accepts a pattern; note why not, or why it would not mean what it seems to."""
    try:
        compiled = re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        diagnostics.add(location, f"pattern {pattern!r} is not RE2: {_reason(error, pattern)}")
        return False
    if compiled.search(""):
        diagnostics.add(
            location, f"pattern {pattern!r} is found in every text, the empty one too; make a part of it needed"
        )
    if _COUNT_FROM_NOTHING.search(pattern):
        diagnostics.add(location, f"pattern {pattern!r}: RE2 takes '{{,n}}' for plain text; write '{{0,n}}'")
    _check_names([found["name"] for found in _GROUP_NAME.finditer(pattern)], location, diagnostics)
    return True


def capture_names(pattern: str) -> list[str]:
    """List the names of the groups of a pattern that RE2 accepts."""
    return sorted(re2.compile(pattern, _OPTIONS).groupindex) if "(?P<" in pattern else []


def _check_names(names: list[str], location: Location, diagnostics: Diagnostics) -> None:
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            diagnostics.add(location, f"the pattern captures {name!r} twice; only the first would be kept: rename one")
        if not _GOOD_NAME.fullmatch(name):
            diagnostics.add(location, f"capture {name!r} must be lower case letters, digits and underscores")
        if name in PROVIDED:
            diagnostics.add(location, f"capture {name!r} would hide what templates call {name!r}: rename it")


def _reason(error: Exception, pattern: str) -> str:
    words = error.args[0] if error.args else ""
    words = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    for sign, instead in _INSTEAD:
        if re.search(sign, words) or re.search(sign, pattern):
            return f"{words}; {instead}"
    return words
