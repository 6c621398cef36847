from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forensics.cases import Case, Checkpoint, PullRecord

if TYPE_CHECKING:
    from pathlib import Path

PULL = PullRecord(
    filter='resource.labels.revision_name="shop-api-00042-abc"', project="my-project", started="2025-09-08T14:00:00Z"
)


@pytest.fixture
def pulled(tmp_path: Path) -> Path:
    """A case with one finished pull of two pages and one unfinished pull of one page."""
    with Case.create(tmp_path / "shop", revisions=("shop-api-00042",)) as case:
        case.begin(PULL)
        case.append([line(1), line(2)], so_far("a", 2))
        case.append([line(3)], Checkpoint(last_timestamp=time(3), done=True))
        case.begin(PULL, ("shop-api-00042", "shop-api-00041"))
        case.append([line(4)], so_far("b", 4))
    return tmp_path / "shop"


def so_far(page: str, number: int) -> Checkpoint:
    return Checkpoint(next_page_token=page, last_timestamp=time(number))


def time(number: int) -> str:
    return f"2025-09-08T14:00:{number % 60:02d}.123456789Z"


def line(number: int) -> bytes:
    return b'{"insertId": "i%d", "timestamp": "%s", "jsonPayload": {"n": 9007199254740993}}' % (
        number,
        time(number).encode(),
    )
