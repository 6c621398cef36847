"""Change the arithmetic that carries verdicts, slip by slip, and ask the tests whether they notice.

    python tools/mutants.py                     all modules
    python tools/mutants.py gating --every 5    a fifth of the changes of one
    python tools/mutants.py --named             those alone of which each must be noticed

The checkout stays as it is: a forked child imports the changed module in the place of the real one. Changes that no
test can notice are listed in `equivalent.toml`, each with its reason.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import tomllib
from math import ceil
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from forking import ROOT, Changed, Job, Quickest, in_children, prepare, run_tests
from mutating import Mutant, mutants_of, spelled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

EQUIVALENT = Path(__file__).with_name("equivalent.toml")
LEAST = 0.9
"""The share of its mutants that each module's tests must kill."""
_SEED = 1
_LONGEST = 600
"""Seconds of CPU for the tests of a module without a change."""


class Module(NamedTuple):
    """Where a module lies, and the tests that belong to it."""

    path: str
    tests: tuple[str, ...]


MODULES = {
    "certificate": Module("forensics/whys/certificate.py", ("tests/whys/test_certificate.py",)),
    "gating": Module(
        "forensics/comparison/gating.py",
        ("tests/comparison/test_gating.py", "tests/comparison/test_bursts_at_the_gate.py"),
    ),
    "occurrences": Module("forensics/clusters/occurrences.py", ("tests/clusters/test_occurrences.py",)),
    "nearest": Module(
        "forensics/links/nearest.py",
        (
            "tests/links/test_nearest.py",
            "tests/links/test_join.py",
            "tests/links/test_contests.py",
            "tests/links/test_partly_pulled.py",
            "tests/whys/test_certificate.py",
        ),
    ),
    "join": Module(
        "forensics/links/join.py",
        (
            "tests/links/test_nearest.py",
            "tests/links/test_join.py",
            "tests/links/test_far_causes.py",
            "tests/links/test_contests.py",
            "tests/links/test_chance.py",
            "tests/links/test_request_ends.py",
            "tests/links/test_partly_pulled.py",
        ),
    ),
    "ends": Module("forensics/links/request_ends.py", ("tests/links/test_request_ends.py",)),
    "partly": Module("forensics/links/partly_pulled.py", ("tests/links/test_partly_pulled.py",)),
    "judging": Module(
        "forensics/comparison/states.py", ("tests/comparison/test_judging.py", "tests/comparison/test_comparing.py")
    ),
    "decoding": Module("forensics/entries/decode/decoding.py", ("tests/entries/test_decoding.py",)),
    "exposure": Module("forensics/context/exposure.py", ("tests/context/test_exposure.py",)),
}
"""The one table of the modules that are guarded."""

_NAMED = {
    ("certificate", "base + within >= run.covered_from or is_recorded(base - within, occurrences[at], run)"): (
        "the time that proves absence would lie behind the failure"
    ),
    ("certificate", "base - within >= run.covered_from or is_recorded(base + within, occurrences[at], run)"): (
        "the same, where an instance had begun"
    ),
    ("certificate", "return any((start < base or end > base - within for start, end in gaps))"): (
        "a silence anywhere would cut every window"
    ),
    ("certificate", "is_quieter = lowest >= Level.WARNING.rank or quietest < lowest"): (
        "whole logs would count as a pull of loud entries"
    ),
    ("gating", "(before.traffic or 0) + before.requests_margin < thresholds.min_requests"): (
        "a baseline with little traffic would tell what is new"
    ),
    ("gating", "seen = None if exposure.traffic is None else exposure.traffic + exposure.requests_margin"): (
        "a service whose requests are sampled would pass too early"
    ),
    ("occurrences", "first = bisect_left(ends, time + after)"): "lines behind the end of a request would lose it",
    ("nearest", "late if early is None or (late >> _BITS) + base < base - (early >> _BITS) else early"): (
        "what was logged just behind a failure would never be its nearest cause"
    ),
}
NAMED = {(module, spelled(after)): would for (module, after), would in _NAMED.items()}
"""Changes that must be noticed one by one, whatever the shares are, and what each would do to a verdict."""


class Unchanged(NamedTuple):
    """How long the tests of a module take."""

    cpu: float
    """Seconds of CPU for all of them, with what they import."""
    seconds: dict[str, float]
    """By test."""


def unchanged(names: Sequence[str], processes: int) -> dict[str, Unchanged]:
    """Run the tests of modules whose code is only compiled anew.

    Where they fail no mutant says anything, be it for a test or for the way in which the code is put in its place.
    """
    with tempfile.TemporaryDirectory() as folder:
        kept = [Path(folder, name) for name in names]
        jobs = [Job(_timing(MODULES[name], file), _LONGEST) for name, file in zip(names, kept, strict=True)]
        found = {}
        for name, file, child in zip(names, kept, in_children(jobs, processes), strict=True):
            if child.status:
                sys.exit(f"{' '.join(MODULES[name].tests)}: fails without a change, so there is nothing to learn")
            found[name] = Unchanged(child.cpu, json.loads(file.read_text()))
        return found


def _timing(module: Module, kept: Path) -> Callable[[], int]:
    def work() -> int:
        plugin, code = Quickest({}), compile((ROOT / module.path).read_bytes(), module.path, "exec", dont_inherit=True)
        status = run_tests(module.tests, Changed(module.path, code), plugin)
        kept.write_text(json.dumps(plugin.seconds))
        return status

    return work


def survivors(mutants: Sequence[Mutant], processes: int) -> list[Mutant]:
    """Run the tests against every mutant, and return those with which all of them pass."""
    same = unchanged([name for name in MODULES if any(mutant.module == name for mutant in mutants)], processes)

    def job(mutant: Mutant) -> Job:
        module, (cpu, seconds) = MODULES[mutant.module], same[mutant.module]
        changed = Changed(module.path, mutant.code)
        return Job(lambda: run_tests(module.tests, changed, Quickest(seconds)), ceil(5 + 5 * cpu))

    ended = in_children([job(mutant) for mutant in mutants], processes)
    return [mutant for mutant, child in zip(mutants, ended, strict=True) if not child.status]


def equivalent(mutants: Sequence[Mutant], names: Sequence[str]) -> list[Mutant]:
    """Return those that are listed as equivalent; what is listed and no mutant of its module is an error."""
    listed: Mapping[str, Sequence[Mapping[str, str]]] = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))
    keys = {(name, one["function"], spelled(one["after"])) for name in names for one in listed.get(name, ())}
    found = [mutant for mutant in mutants if (mutant.module, mutant.function, mutant.after) in keys]
    stale = keys - {(mutant.module, mutant.function, mutant.after) for mutant in found}
    told = sorted(set(listed) - set(MODULES)) + [f"{name}, {function}: {after}" for name, function, after in stale]
    if told:
        sys.exit("\n".join([f"{EQUIVALENT.name} lists what is no mutant:", *sorted(told)]))
    return found


def named(mutants: Sequence[Mutant], names: Sequence[str]) -> list[Mutant]:
    """Return those that must be noticed one by one; one that is gone is an error."""
    found = [mutant for mutant in mutants if (mutant.module, mutant.after) in NAMED]
    if gone := {key for key in NAMED if key[0] in names} - {(mutant.module, mutant.after) for mutant in found}:
        sys.exit("\n".join(["named, and no mutant:", *(f"{name}: {after}" for name, after in sorted(gone))]))
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {', '.join(MODULES)} (default: all)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="one in N mutants, the same ones every time")
    parser.add_argument("--named", action="store_true", help="those alone of which each must be noticed")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="children at a time (default: 2)")
    options = parser.parse_args()
    if unknown := set(options.modules) - set(MODULES):
        parser.error(f"no such module: {', '.join(sorted(unknown))}")
    return options


def _chosen(options: argparse.Namespace, names: Sequence[str]) -> tuple[list[Mutant], list[Mutant]]:
    """Return the mutants that are asked for, and those listed as equivalent, which a full run looks at as well."""
    files = {name: MODULES[name].path for name in names}
    every = [one for name, file in files.items() for one in mutants_of(name, (ROOT / file).read_text("utf-8"), file)]
    # Both look at all of them, so that a list that has grown old is noticed whatever is asked for.
    alike, must = equivalent(every, names), named(every, names)
    if options.named:
        return must, []
    wanted = [mutant for mutant in every if mutant not in alike]
    if options.every == 1:
        return wanted, alike
    picked = set(Random(_SEED).sample(range(len(wanted)), ceil(len(wanted) / options.every)))
    return [mutant for at, mutant in enumerate(wanted) if at in picked], []


def _told(name: str, of: int, left: Sequence[Mutant]) -> bool:
    """Print what became of a module's mutants, and tell whether enough of them were killed."""
    killed = of - len(left)
    print(f"{MODULES[name].path}: {killed} of {of} killed ({killed / of:.0%}), {len(left)} survived")
    for mutant in left:
        print(f"    line {mutant.line}, {mutant.function or 'module'}: {mutant.before}  →  {mutant.after}")
        if reason := NAMED.get((mutant.module, mutant.after)):
            print(f"        with it {reason}")
    return killed >= LEAST * of and not any((mutant.module, mutant.after) in NAMED for mutant in left)


def main() -> int:
    """Make the mutants, run them, and say what survived."""
    options, began = _options(), time.monotonic()
    prepare()
    mutants, alike = _chosen(options, [name for name in MODULES if name in (options.modules or MODULES)])
    left = survivors([*mutants, *alike], options.processes)
    noticed = [mutant for mutant in alike if mutant not in left]
    left = [mutant for mutant in left if mutant not in alike]
    enough = []
    for name in MODULES:
        of = sum(mutant.module == name for mutant in mutants)
        if of:
            enough.append(_told(name, of, [mutant for mutant in left if mutant.module == name]))
    for mutant in noticed:
        print(f"{EQUIVALENT.name} lists what a test notices: {mutant.module}, {mutant.function}: {mutant.after}")
    print(f"{len(mutants) - len(left)} of {len(mutants)} mutants killed in {time.monotonic() - began:.0f} s")
    return 0 if all(enough) and not noticed else 1


if __name__ == "__main__":
    sys.exit(main())
