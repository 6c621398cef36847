"""Ids of entries as links: the address stands at the end, and an id that could be markup is no link."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from markdown_it import MarkdownIt

from forensics.model import EntryRef, Evidence, Level
from forensics.rendering.citation_links import addresses, anchor, short, sources

URL = "https://console.cloud.google.com/logs/query;query=x?project=shop"


def ref(insert_id: str, url: str = URL) -> EntryRef:
    return EntryRef(
        insert_id=insert_id,
        timestamp="2026-03-01T10:00:00Z",
        log_name="",
        level=Level.ERROR,
        severity="ERROR",
        message="shard map is torn",
        url=url,
    )


def links(*refs: EntryRef) -> list[str]:
    """Render citations with their addresses, and return where the links lead."""
    text = "\n".join([" ".join(map(anchor, refs)), "", *addresses(refs)])
    inline = [child for block in MarkdownIt().parse(text) for child in block.children or []]
    assert not [child for child in inline if child.type in {"html_inline", "image"}]
    return [str(child.attrs["href"]) for child in inline if child.type == "link_open"]


def test_an_id_is_a_link_whose_address_stands_once_at_the_end() -> None:
    assert links(ref("68c8b229"), ref("68c8b229")) == [URL, URL]
    assert len(addresses([ref("68c8b229"), ref("68c8b229")])) == 1


@pytest.mark.parametrize("insert_id", ["a]: https://evil.example", "[x](https://evil.example)", "`", "a b", "", "<b>"])
def test_an_id_that_could_be_markup_is_no_link(insert_id: str) -> None:
    assert links(ref(insert_id)) == []


def test_without_an_address_there_is_no_link() -> None:
    assert links(ref("68c8b229", url="")) == []


@given(st.text())
def test_no_id_leads_elsewhere(insert_id: str) -> None:
    assert set(links(ref(insert_id))) <= {URL}


def test_evidence_names_its_first_entry_and_how_many_more() -> None:
    def said(count: int | None, *refs: EntryRef) -> str:
        return sources(Evidence(kind="entries", statement="x", count=count, refs=refs))

    assert said(None) == ""
    assert said(1, ref("a1")) == "([`a1`])"
    assert said(15, ref("a1")) == "([`a1`] and 14 more)"
    assert said(None, ref("a1"), ref("a2")) == "([`a1`] and 1 more)"


def test_long_texts_are_cut_to_one_line() -> None:
    assert short("one\ntwo") == "one two"
    assert short("x" * 200, 10) == "xxxxxxxxx…"
