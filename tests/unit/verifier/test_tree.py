"""Trees and proofs against RFC 6962's reference vectors, and against each other."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.verifier.errors import FlawError
from rostra.verifier.tree import EMPTY_ROOT, Tree, leaf_hash, root_by_inclusion, roots_by_consistency

# The test vectors of Certificate Transparency's reference implementation (RFC 6962).
ENTRIES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def grown(count: int) -> Tree:
    tree = Tree()
    for number in range(count):
        tree.append(leaf_hash(b"%d" % number))
    return tree


def test_roots_are_those_of_the_reference_implementation() -> None:
    tree = Tree()
    assert tree.root() == EMPTY_ROOT == sha256().digest()
    for entry, root in zip(ENTRIES, ROOTS, strict=True):
        tree.append(leaf_hash(bytes.fromhex(entry)))
        assert tree.root().hex() == root
    assert [tree.root(size).hex() for size in range(1, 9)] == list(ROOTS)


@given(st.data())
def test_every_entry_is_proved_by_its_path_and_by_no_other(data: st.DataObject) -> None:
    tree = grown(data.draw(st.integers(1, 600), "entries"))
    size = data.draw(st.integers(1, len(tree)), "size")
    index = data.draw(st.integers(0, size - 1), "index")
    path = tree.inclusion(index, size)
    leaf = tree.levels[0][index]
    assert root_by_inclusion(index, size, leaf, path) == tree.root(size)
    assert root_by_inclusion(index, size, leaf_hash(b"another"), path) != tree.root(size)
    for wrong in (path[:-1], [*path, leaf]) if path else ([leaf],):
        with pytest.raises(FlawError):
            root_by_inclusion(index, size, leaf, wrong)


@given(st.data())
def test_a_log_that_grew_is_proved_to_have_and_one_that_was_rewritten_is_not(data: st.DataObject) -> None:
    tree = grown(data.draw(st.integers(1, 600), "entries"))
    size = data.draw(st.integers(1, len(tree)), "size")
    before = data.draw(st.integers(1, size), "before")
    path = tree.consistency(before, size)
    assert roots_by_consistency(before, size, tree.root(before), path) == (tree.root(before), tree.root(size))
    if path:
        forged = roots_by_consistency(before, size, leaf_hash(b"another history"), path)
        assert forged != (leaf_hash(b"another history"), tree.root(size))
        with pytest.raises(FlawError):
            roots_by_consistency(before, size, tree.root(before), path[:-1])
    with pytest.raises(FlawError):
        roots_by_consistency(before, size, tree.root(before), [*path, tree.root(size)])


def test_there_are_no_proofs_about_what_is_not_there() -> None:
    tree = grown(5)
    for index, size in ((5, 5), (-1, 5), (0, 6), (0, 0)):
        with pytest.raises(FlawError, match="There is no entry"):
            tree.inclusion(index, size)
    for before, size in ((0, 5), (6, 5), (3, 6)):
        with pytest.raises(FlawError, match="has not grown"):
            tree.consistency(before, size)
    with pytest.raises(FlawError, match="has not grown"):
        roots_by_consistency(0, 5, EMPTY_ROOT, [])
