"""Fixed words of an RE2 pattern: every matching text contains at least one of them.

Only what is certain is used: a class, a wildcard or a repetition ends a word, and syntax that is not known here means
that nothing is certain.
"""

from __future__ import annotations

import re
from string import punctuation

_KNOWN = r"""
    [^\\\[\](){}|*+?.^$]+                               # plain characters
  | \\(?:x\{[0-9A-Fa-f]+\} | [pP]\{\^?\w+\} | [pP]\w | x[0-9A-Fa-f]{2} | [^0-9QxpP])
  | \[\^?\]?(?:\[:\^?[a-z]+:\] | \\. | [^\]\\])*\]      # a class
  | \(\?P?<\w+> | \(\?[imsU-]*: | \(\?[imsU-]+\) | \((?!\?)
  | [)|.^$]
  | [*+?]\?? | \{\d+(?:,\d*)?\}\??
    """
_TOKEN = re.compile(_KNOWN, re.VERBOSE | re.DOTALL)
# What is not known ends the reading: without it, an open class would be looked for again at each bracket.
_TOKENS = re.compile(rf"{_KNOWN} | .+", re.VERBOSE | re.DOTALL)
_COMMON = (
    "error exception failed failure fail http https server request response connection service database query module "
    "message resource internal invalid document close closed code socket received timeout file the of no in is not set"
)
"""Words that nearly every failing log contains: a pattern with a rarer word is tried less often."""
_ESCAPED = {f"\\{character}": character for character in punctuation}
_OPTIONAL = ("*", "?", "{0")
_REPEATS = frozenset("*+?{")
_NO_CHARACTERS = frozenset("\\[.^$*+?{")
"""First characters of tokens that stand for no character, or for one of many."""
_SHORTEST = 2
"""A single character is in nearly every text."""
_LONGEST = 12
"""Characters of a word that are used; more of them select little better, and cost states of the automaton."""

Words = tuple[str, ...]
_Worth = tuple[bool, int, int]
_NOTHING: _Worth = (False, 0, 0)


def needed_words(pattern: str) -> Words | None:
    """Lower-case words: every matching text, lowered, contains at least one of them; None if there are none."""
    tokens = _TOKENS.findall(pattern)
    if tokens and _TOKEN.fullmatch(tokens[-1]) is None:
        return None
    return _words_of(tokens)


class _Group:
    """A pattern, or a group in it, while it is parsed."""

    __slots__ = ("best", "branches", "run", "worth")

    def __init__(self) -> None:
        self.branches: list[Words | None] = []
        """Needed words of each finished branch."""
        self.best: Words | None = None
        """The best needed words of the open branch so far."""
        self.worth = _NOTHING
        self.run = ""
        """Literal characters at the end of the open branch."""

    def end_run(self) -> None:
        if len(self.run) >= _SHORTEST:
            self.offer((self.run[:_LONGEST].lower(),))
        self.run = ""

    def end_branch(self) -> None:
        self.end_run()
        self.branches.append(self.best)
        self.best, self.worth = None, _NOTHING

    def offer(self, words: Words | None) -> None:
        if words is not None and (worth := _worth(words)) > self.worth:
            self.best, self.worth = words, worth

    def words(self) -> Words | None:
        """Return the needed words of all branches together; None when one branch needs none."""
        self.end_branch()
        collected: list[str] = []
        for words in self.branches:
            if words is None:
                return None
            collected += words
        return tuple(dict.fromkeys(collected))


def _words_of(tokens: list[str]) -> Words | None:
    group = _Group()
    outer: list[_Group] = []
    for token, after in zip(tokens, (*tokens[1:], ""), strict=False):
        first = token[0]
        if first == "(":
            group.end_run()
            if token[-1] != ")":  # `(?i)` opens nothing
                outer.append(group)
                group = _Group()
        elif first == ")":
            if not outer:
                return None
            words = group.words()
            group = outer.pop()
            if not after.startswith(_OPTIONAL):
                group.offer(words)
        elif first == "|":
            group.end_branch()
        else:
            _take(group, token, after)
    return None if outer else group.words()


def _take(group: _Group, token: str, after: str) -> None:
    """Add the characters of a token to the run; a repeated one ends the run."""
    if token[0] in _NO_CHARACTERS:
        if token not in _ESCAPED:
            group.end_run()
            return
        token = _ESCAPED[token]
    text = token
    repeated = after[:1] in _REPEATS
    if repeated and after.startswith(_OPTIONAL):
        text = text[:-1]
    if text.isascii():
        group.run += text
    else:
        _take_beyond_ascii(group, text)
    if repeated:
        group.end_run()


def _take_beyond_ascii(group: _Group, text: str) -> None:
    """Add characters without case; a character with case has spellings that lower-casing does not cover."""
    for character in text:
        if character.isascii() or character.lower() == character.upper():
            group.run += character
        else:
            group.end_run()


def _worth(words: Words) -> _Worth:
    """Sort key: words that are not common are worth most, then long ones, then few."""
    shortest = min(map(len, words))
    is_rare = shortest > _SHORTEST and not any(word.strip(" :.") in _COMMON for word in words)
    return is_rare, shortest, -len(words)
