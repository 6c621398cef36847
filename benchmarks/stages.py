"""Measure the processor seconds of each stage of an analysis, all in one process.

python benchmarks/stages.py build/bench/mixed
"""

from __future__ import annotations

import argparse
import gc
import time
from contextlib import closing
from functools import partial
from pathlib import Path

from forensics.classify import RequestPrefilter
from forensics.clusters import entry_rows, find_lives, group
from forensics.entries import FastIndexReader, collect, resolve_revision, revision_spans, select
from forensics.extract import FactsExtractor, extract
from forensics.links import link
from forensics.model import Level, Query
from forensics.rendering import encode_rows
from forensics.rulebook import load_rules
from forensics.sources import FileRecordStore, Indexing, read_records

from contest.logs import open_log


def main() -> None:
    """Print the stages with their seconds."""
    parser = argparse.ArgumentParser(description="Show how long each stage of an analysis takes.")
    parser.add_argument("folder", type=Path, help="a log and its truth.json, made by generate.py")
    arguments = parser.parse_args()
    log = open_log(arguments.folder)
    gc.disable()
    with closing(FileRecordStore()) as store:
        _stages(Query(revision=log.asked["revision"], logs=(str(log.path),)), store)


def _stages(query: Query, store: FileRecordStore) -> None:
    watch = _Watch()
    rules, _ = load_rules()
    by_id = {rule.id: rule for rule in rules}
    extractor, screen = FactsExtractor(rules, Level.ERROR), RequestPrefilter(rules, Level.ERROR)
    watch.tell("rules")
    how = Indexing(store=store, reader=partial(FastIndexReader, prefilter=screen))
    records = list(read_records(query.logs, only=query.revision, indexing=how))
    watch.tell("find and index lines")
    log_index = collect(records, store)
    revision = resolve_revision(query.revision, revision_spans(log_index))
    rows = select(log_index, revision, query)
    watch.tell(f"sort, drop duplicates, select {len(rows):,} entries")
    table, _ = extract(log_index, rows, store, extractor)
    notable = sum(table.label_set(row).routine is None for row in range(len(table)))
    watch.tell(f"decode, classify and extract {notable:,} of them")
    lives = find_lives(table)
    clusters, members = group(table, by_id, lives)
    link(clusters, members, by_id, table, lives)
    watch.tell(f"lives, {len(clusters)} clusters, links")
    size = sum(map(len, encode_rows(entry_rows(clusters, members, table))))
    watch.tell(f"entries.csv, {size / 1e6:.1f} MB")


class _Watch:
    """Prints the processor seconds since its last call."""

    def __init__(self) -> None:
        self._last = time.process_time()

    def tell(self, stage: str) -> None:
        now = time.process_time()
        print(f"{stage:<60} {now - self._last:6.2f} s")
        self._last = now


if __name__ == "__main__":
    main()
