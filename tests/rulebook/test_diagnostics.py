"""Every way in which a file can fail to be a rule gives its line and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]
    Diagnostics = Callable[[Path], list[str]]

FAULTS = {
    "unknown key": ("title:", "titl:", ["1: missing key 'title'", "3: unknown field 'titl' (did you mean 'title'?)"]),
    "unknown key in a why": (
        "    answer: '{{ lock }} was",
        "    anwser: '{{ lock }} was",
        ["20: unknown field 'anwser' in whys 1 (did you mean 'answer'?)"],
    ),
    "unknown key in an action": (
        "verify:",
        "verfy:",
        ["25: unknown field 'verfy' in actions 1 (did you mean 'verify'?)"],
    ),
    "missing keys": (
        "version: 1\ntitle: A lock was lost before the work was done\n",
        "",
        ["1: missing key 'title'", "1: missing key 'version'"],
    ),
    "wrong type": ("version: 1", "version: one", ["2: 'version' must be a whole number from 1, not 'one'"]),
    "number for text": ("ask: What was lost?", "ask: 7", ["18: 'ask' must be text, not a number; write '7' in quotes"]),
    "nothing for text": ("ask: What was lost?", "ask:", ["18: 'ask' must be text, not nothing"]),
    "text for a list": ("[lock, frame.file]", "lock", ["12: 'group_by' must be a list, not text"]),
    "id is not the file's name": (
        "id: lock-lost",
        "id: lock-gone",
        ["1: id 'lock-gone' is not the file's name; rename the file to lock-gone.yaml"],
    ),
    "id is not kebab-case": (
        "id: lock-lost",
        "id: Lock_Lost",
        ["1: 'Lock_Lost' must be kebab-case: lower case letters, digits and single hyphens"],
    ),
    "stop after the title": (
        "work was done\n",
        "work was done.\n",
        ["3: 'title' ends in a full stop; documents put it into sentences of their own"],
    ),
    "class": ("class: other", "class: othr", ["5: 'class' must be one of", "(did you mean 'other'?)"]),
    "role": ("role: cause", "role: root", ["6: 'role' must be one of cause, mechanism, symptom, noise, not 'root'"]),
    "priority": ("priority: P1", "priority: 1", ["7: 'priority' must be one of P0, P1, P2, P3, not 1"]),
    "occurs_per": (
        "group_by:",
        "occurs_per: instance\ngroup_by:",
        ["12: 'occurs_per' must be one of instance life, request, session, burst, not 'instance'"],
    ),
    "unknown field root": (
        "  level: {at_least",
        "  levle: {at_least",
        ["9: unknown field 'levle' (did you mean 'level'?)"],
    ),
    "unknown part of httpRequest": (
        "  level: {at_least: WARNING}",
        "  httpRequest.code: {at_least: 500}",
        ["9: unknown field 'httpRequest.code': httpRequest has no 'code'; it has cacheFillBytes,"],
    ),
    "misspelt root": (
        "  level: {at_least: WARNING}",
        "  jsonpayload.error.code: {at_least: 500}",
        ["9: unknown field 'jsonpayload.error.code' (did you mean 'jsonPayload'?)"],
    ),
    "part of a text": (
        "  level: {at_least: WARNING}",
        "  textPayload.x: {contains: a}",
        ["9: unknown field 'textPayload.x': textPayload has no 'x'"],
    ),
    "path that is none": (
        "  level: {at_least: WARNING}",
        "  labels..x: {contains: a}",
        ["9: 'labels..x' is no path of a field: join names by dots and put unusual ones in double quotes"],
    ),
    "object where a text is": (
        "  level: {at_least: WARNING}",
        "  jsonPayload: {contains: a}",
        ["9: 'jsonPayload' holds other fields and has no text; name one of them, such as 'jsonPayload.name'"],
    ),
    "unknown operation": (
        "{at_least: WARNING}",
        "{atleast: WARNING}",
        ["9: unknown operation 'atleast' (did you mean 'at_least'?); there are contains,"],
    ),
    "no operation": ("{at_least: WARNING}", "{cased: true}", ["9: 'level' has no operation; there are contains,"]),
    "text instead of an operation": (
        "level: {at_least: WARNING}",
        "level: WARNING",
        ["9: 'level' needs an operation, such as 'level: {contains: …}', not text"],
    ),
    "cased": (
        "{at_least: WARNING}",
        "{equals: WARNING, cased: yes}",
        ["9: 'cased' must be true or false, not 'yes'"],
    ),
    "unknown level": (
        "{at_least: WARNING}",
        "{at_least: WARNIN}",
        ["9: 'at_least' of 'level' needs a level (DEFAULT,", "not 'WARNIN' (did you mean 'WARNING'?)"],
    ),
    "bad bound": (
        "level: {at_least: WARNING}",
        "http.latency: {at_least: 59 parsecs}",
        ["9: 'at_least' needs a number, a level such as WARNING or a duration such as 59s, not '59 parsecs'"],
    ),
    "in without a list": ("{at_least: WARNING}", "{in: ERROR}", ["9: 'in' needs a list of values, not text"]),
    "in with both": (
        "{at_least: WARNING}",
        "{in: [ERROR, 7]}",
        ["9: 'in' needs a list of texts or a list of numbers, not of both"],
    ),
    "exists": ("{at_least: WARNING}", "{exists: 1}", ["9: 'exists' must be true or false, not 1"]),
    "number to search for": (
        "[rehearsal, drill]",
        "[rehearsal, 7]",
        ["11: 'contains' needs a text to look for, not 7; write it in single quotes"],
    ),
    "nothing to search for": ("[rehearsal, drill]", "[]", ["11: 'contains' has an empty list: nothing could be found"]),
    "empty match": (
        "match:\n",
        "match: {}\noccurs_per: request\nignored:\n",
        [
            "8: a condition must be a mapping such as 'message: {contains: …}', not an empty one",
            "10: unknown field 'ignored'",
        ],
    ),
    "match that only excludes": (
        "  level: {at_least: WARNING}\n  message: {regex: 'lost lock (?P<lock>\\w+)'}\n",
        "",
        ["8: 'match' only excludes and so claims every other entry; add what the entry must have"],
    ),
    "not without a list": (
        "not: [{message: {contains: [rehearsal, drill]}}]",
        "not: {message: {contains: drill}}",
        ["11: 'not' needs a list of conditions, not a mapping"],
    ),
    "few tests": (
        "    - {severity: WARNING, textPayload: we lost lock beta}\n",
        "",
        ["28: 'match' needs at least 2, has 1"],
    ),
    "no tests": (
        "tests:\n",
        "examples:\n",
        ["1: missing key 'tests'", "27: unknown field 'examples'"],
    ),
    "no near misses": (
        "  no_match:",
        "  nomatch:",
        ["27: missing key 'no_match' in 'tests'", "31: unknown field 'nomatch' in 'tests' (did you mean 'no_match'?)"],
    ),
    "explains nobody": (
        "signature: lock-slow",
        "signature: lock-slwo",
        ["15: no rule 'lock-slwo' exists (did you mean 'lock-slow'?)"],
    ),
    "supersedes nobody": ("supersedes: [lock-slow]", "supersedes: [xyz]", ["13: no rule 'xyz' exists"]),
    "rivals nobody": ("rivals: [lock-slow]", "rivals: [lock-slow, xyz]", ["16: no rule 'xyz' exists"]),
    "rival of itself": ("rivals: [lock-slow]", "rivals: [lock-lost]", ["16: 'rivals' names the rule itself"]),
    "linked to nobody": ("{values: [lock]}", "{linked: [lock-slow, xyz]}", ["19: no rule 'xyz' exists"]),
    "why without evidence": (
        "    evidence: {values: [lock]}\n",
        "",
        ["18: a why needs evidence that answers it; there are "],
    ),
    "unknown evidence": (
        "{values: [lock]}",
        "{value: [lock]}",
        ["19: unknown evidence 'value' (did you mean 'values'?); there are "],
    ),
    "two kinds of evidence": (
        "{values: [lock]}",
        "{values: [lock], frames: {}}",
        ["19: 'evidence' must have one key of ", "not a mapping of 2"],
    ),
    "evidence argument": ("{values: [lock]}", "{frames: deep}", ["19: 'frames' takes no argument: write 'frames: {}'"]),
    "compare": ("{values: [lock]}", "{compare: main}", ["19: 'compare' takes the word baseline, not 'main'"]),
    "commits": (
        "{values: [lock]}",
        "{commits: {touchng: lock}}",
        [
            "19: missing key 'touching' in 'commits'",
            "19: unknown field 'touchng' in 'commits' (did you mean 'touching'?)",
        ],
    ),
    "commits that touch nothing known": (
        "{values: [lock]}",
        "{commits: {touching: lok}}",
        ["19: 'lok' is neither a capture of this rule nor a field (did you mean 'lock'?)"],
    ),
    "entries without a distance": (
        ", before: 60s}",
        "}",
        ["22: say on which side of the occurrence and how far: either 'before: 60s' or 'after: 60s'"],
    ),
    "entries with a bad distance": (
        "before: 60s",
        "before: soon",
        ["22: 'before' must be a duration such as 250ms, 2s or 3m, not 'soon'"],
    ),
    "bad pattern in a why": (
        "{message: {contains: renewed}}",
        "{message: {regex: '(renewed'}}",
        ["22: pattern '(renewed' is not RE2: missing ): (renewed"],
    ),
    "bad duration": (
        "within: 1.5s",
        "within: 1.5",
        ["15: 'within' must be a duration such as 250ms, 2s or 3m, not 1.5"],
    ),
    "group_by": ("[lock, frame.file]", "[lok]", ["12: 'lok' is neither a capture of this rule nor a field"]),
    "values": (
        "values: [lock]",
        "values: [frame.fil]",
        ["19: 'frame.fil' is neither a capture of this rule nor a field (did you mean 'frame.file'?)"],
    ),
    "template that does not parse": (
        "'Lock {{ lock }} was lost'",
        "'Lock {{ lock } was lost'",
        ["4: the template does not parse: unexpected '}'"],
    ),
    "template with an unknown name": (
        "'Lock {{ lock }} was lost'",
        "'Lock {{ lok }} was lost'",
        ["4: the template names 'lok', which no pattern of 'match' captures (did you mean 'lock'?)"],
    ),
    "unknown name in a condition of a template": (
        "'Lock {{ lock }} was lost'",
        "'Lock {% if owner is defined %}{{ owner }}{% endif %} was lost'",
        ["4: the template names 'owner', which no pattern of 'match' captures"],
    ),
    "unknown part in a template": (
        "{{ frame.function }}",
        "{{ frame.func }}",
        ["20: the template asks for frame.func; frame has file, function, line, owner"],
    ),
    "unknown filter": (
        "{{ frame.function }}",
        "{{ frame.function | shout }}",
        ["20: the template does not parse: No filter named 'shout'."],
    ),
    "unknown name in otherwise": (
        "renewals of {{ lock }}",
        "renewals of {{ look }}",
        ["23: the template names 'look', which no pattern of 'match' captures (did you mean 'lock'?)"],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_names_its_line_and_what_to_do(name: str, write: Write, good: str, diagnostics: Diagnostics) -> None:
    old, new, expected = FAULTS[name]
    assert old in good
    found = diagnostics(write(good.replace(old, new, 1)))
    places = [words for words in expected if words[0].isdigit()]
    assert len(found) == len(places)
    for line, place in zip(found, places, strict=True):
        assert line.startswith(f"lock-lost.yaml:{place}")
    for words in expected:
        assert words in "\n".join(found)


PATTERNS = {
    r"(?=a)b": "match the plain text and exclude the rest with 'not:'",
    r"(?<!a)b": "match the plain text and exclude the rest with 'not:'",
    r"(a)\1": "RE2 has no back-references",
    r"(?P<a>b)(?P=a)": "RE2 has no back-references",
    r"a++b": "never backtracks",
    r"(?>a)b": "never backtracks",
    r"(?#why)a": "use a YAML comment",
    r"(?x) a": "write verbose patterns on one line",
    r"(?i)a\Z": r"Python's \Z is \z in RE2",
    r"\u00e9": "write the character itself",
    r"(a)(?(1)b|c)": "use 'any:' with two patterns",
    r"a{2000}": "at most 1000 times",
    r"[a": "missing ]",
    r"*a": "no argument for repetition operator",
    r"a{,3}b": "write '{0,n}'",
    r"a*": "is found in every text",
    r"(?P<lock>a)|(?P<lock>b)": "captures 'lock' twice",
    r"(?P<Lock>a)": "lower case letters, digits and underscores",
    r"(?P<count>\d+) locks": "would hide what templates call 'count'",
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_that_re2_refuses_says_what_to_write_instead(
    pattern: str, write: Write, good: str, diagnostics: Diagnostics
) -> None:
    text = good.replace("contains: [rehearsal, drill]", f"regex: '{pattern.replace(chr(39), chr(39) * 2)}'")
    (line,) = diagnostics(write(text))
    assert line.startswith("lock-lost.yaml:11: ")
    assert PATTERNS[pattern] in line
