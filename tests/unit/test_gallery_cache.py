"""Galleries in memory: found under their very revision alone, and never for long."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from service.core.gallery_cache import Gallery, GalleryCache


def gallery(references: int = 1, width: int = 64) -> Gallery:
    rows = np.ones((references + 1, width), np.float32)
    return Gallery(tuple(f"{number:032x}" for number in range(references)), rows, "model 1")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_gallery_is_found_under_its_revision() -> None:
    cache, one = GalleryCache(), gallery()
    assert cache.get("ann", 1) is None
    cache.put("ann", 1, one, cache.drops)
    assert cache.get("ann", 1) is one
    assert cache.get("bob", 1) is None


@pytest.mark.parametrize("now", [2, 0, None])
def test_under_another_it_is_dropped(now: int | None) -> None:
    cache = GalleryCache()
    cache.put("ann", 1, gallery(), cache.drops)
    assert cache.get("ann", now) is None
    assert cache.size_bytes == 0
    assert cache.get("ann", 1) is None


def test_the_bytes_are_bounded_and_the_least_recently_used_goes_first() -> None:
    size = gallery().size_bytes
    cache = GalleryCache(max_bytes=3 * size)
    for name in ("a", "b", "c"):
        cache.put(name, 1, gallery(), cache.drops)
    assert cache.size_bytes == 3 * size
    assert cache.get("a", 1)
    cache.put("d", 1, gallery(), cache.drops)
    assert [cache.get(name, 1) is not None for name in "abcd"] == [True, False, True, True]
    assert cache.size_bytes == 3 * size
    for turn in range(1000):
        cache.put(f"identity {turn}", turn, gallery(turn % 40), cache.drops)
        assert cache.size_bytes <= 3 * size


def test_a_gallery_put_again_counts_once() -> None:
    cache = GalleryCache()
    for revision in range(5):
        cache.put("ann", revision, gallery(9), cache.drops)
    assert cache.size_bytes == gallery(9).size_bytes


def test_one_that_is_larger_than_all_may_be_is_not_kept() -> None:
    cache = GalleryCache(max_bytes=gallery().size_bytes)
    cache.put("ann", 1, gallery(), cache.drops)
    cache.put("big", 1, gallery(100), cache.drops)
    assert cache.get("big", 1) is None
    assert cache.get("ann", 1)
    off = GalleryCache(max_bytes=0)
    off.put("ann", 1, gallery(), off.drops)
    assert off.get("ann", 1) is None


def test_the_memory_of_the_embeddings_is_counted() -> None:
    assert gallery(100, 256).size_bytes > 101 * 256 * 4
    assert gallery(100, 256).size_bytes < 1.2 * 101 * 256 * 4


def test_what_was_not_used_for_long_is_dropped() -> None:
    clock = Clock()
    cache = GalleryCache(max_unused_s=300, clock=clock)
    cache.put("ann", 1, gallery(), cache.drops)
    clock.now = 200
    cache.put("bob", 1, gallery(), cache.drops)
    assert cache.get("ann", 1)
    clock.now = 499
    cache.drop_unused()
    assert cache.get("ann", 1)  # used again at 200, and now
    clock.now = 501
    cache.drop_unused()
    assert cache.size_bytes == gallery().size_bytes
    assert cache.get("bob", 1) is None
    clock.now = 1000
    cache.put("cid", 1, gallery(), cache.drops)
    assert cache.size_bytes == gallery().size_bytes
    assert cache.get("ann", 1) is None


def test_a_deletion_drops_it_at_once_also_while_it_is_being_read() -> None:
    cache = GalleryCache()
    cache.put("ann", 1, gallery(), cache.drops)
    cache.drop("ann")
    assert cache.size_bytes == 0
    drops = cache.drops
    # Meanwhile another thread deletes.
    cache.drop("ann")
    cache.put("ann", 1, gallery(), drops)
    assert cache.size_bytes == 0


def test_eight_threads_never_get_what_another_put() -> None:
    size = gallery(8).size_bytes
    cache = GalleryCache(max_bytes=5 * size)

    def work(worker: int) -> None:
        for turn in range(2000):
            name, revision = f"identity {turn % 7}", turn % 3
            found = cache.get(name, revision)
            if found is None:
                cache.put(name, revision, gallery(1 + revision), cache.drops)
            else:
                assert len(found.reference_ids) == 1 + revision
            if turn % 50 == worker:
                cache.drop(name)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert 0 <= cache.size_bytes <= 5 * size
    for number in range(7):
        cache.drop(f"identity {number}")
    assert cache.size_bytes == 0
