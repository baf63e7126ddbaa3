"""YAML as a tree of texts with their lines: nothing is interpreted, and nothing but texts, lists and keys is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from il2.errors import Il2Error, did_you_mean

LARGEST_BYTES, DEEPEST = 200_000, 12
KINDS = ("str", "int", "float", "bool", "null", "timestamp", "seq", "map")
PLAIN = tuple(f"tag:yaml.org,2002:{kind}" for kind in KINDS)
HOW = "Write texts, numbers, lists and keys only."


@dataclass(frozen=True)
class Item:
    """A text, a list or a mapping, with the place that it stands in. path: the keys that lead to it."""

    content: str | list[Item] | dict[str, Item]
    file: str
    line: int
    path: str

    @property
    def where(self) -> str:
        """`FILE:LINE: KEY.KEY`; a line of 0 stands for what is no file."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.path}" if self.path else place

    def wrong(self, what: str, how: str = "", why: str = "") -> NoReturn:
        """Refuse what stands here."""
        raise Il2Error(what, where=self.where, why=why, how=how)

    @property
    def text(self) -> str:
        if not isinstance(self.content, str):
            self.wrong("a list or keys stand where a value is expected", "Give one value.")
        return self.content

    @property
    def items(self) -> list[Item]:
        """The items of a list; a value or a mapping alone is a list of one, an empty value an empty list."""
        if isinstance(self.content, list):
            return self.content
        return [] if self.content == "" else [self]

    def keys(self, known: Iterable[str] = ()) -> dict[str, Item]:
        """The mapping that stands here; with `known`, another key is an error that suggests the nearest."""
        if self.content == "":
            return {}
        if not isinstance(self.content, dict):
            self.wrong("a value stands where keys are expected", "Write 'key: value' below it.")
        known = tuple(known)
        for name, item in self.content.items() if known else ():
            if name not in known:
                item.wrong(f"unknown key {name!r}", did_you_mean(name, known))
        return self.content


def read_tree(path: Path) -> Item:
    """The tree of a UTF-8 file.

    Raises Il2Error, with file and line, for what cannot be read, is no YAML, is empty, names a key twice, or uses tags,
    anchors or aliases.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            what = f"the file has more than {LARGEST_BYTES:,} bytes"
            raise Il2Error(what, where=str(path), how="Describe one plate.")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Il2Error(f"cannot be read: {error.strerror}", where=str(path), how="Check the path.") from error
    except UnicodeDecodeError as error:
        raise Il2Error("the file is not UTF-8", where=str(path), how="Save it as UTF-8.") from error
    return tree_of(text, str(path))


def tree_of(text: str, file: str) -> Item:
    """The tree of a text; errors name `file`."""
    import yaml

    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, (yaml.AliasToken, yaml.AnchorToken)):
                line = token.start_mark.line + 1
                raise Il2Error("anchors and aliases are not read", where=f"{file}:{line}", how="Write it out.")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else file
        why = getattr(error, "problem", None) or " ".join(str(error).split())
        raise Il2Error("the file is no valid YAML", where=where, why=why, how="Mend what stands there.") from error
    except RecursionError as error:
        raise Il2Error("the file is nested too deeply", where=file, how=HOW) from error
    if root is None:
        raise Il2Error("the file is empty", where=file, how="Give at least the cells of a well.")
    return _item(root, file, "", 0)


def _item(node, file: str, path: str, depth: int) -> Item:
    import yaml

    line = node.start_mark.line + 1
    here = Item("", file, line, path)
    if node.tag not in PLAIN:
        here.wrong(f"the tag {node.tag!r} is not read", HOW)
    if depth > DEEPEST:
        here.wrong("the file is nested too deeply", HOW)
    if isinstance(node, yaml.ScalarNode):
        empty = node.tag == PLAIN[4] and not node.style
        return Item("" if empty else node.value.strip(), file, line, path)
    if isinstance(node, yaml.SequenceNode):
        items = [_item(n, file, f"{path}[{i}]", depth + 1) for i, n in enumerate(node.value, start=1)]
        return Item(items, file, line, path)
    found: dict[str, Item] = {}
    for key, value in node.value:
        at = Item("", file, key.start_mark.line + 1, path)
        if not isinstance(key, yaml.ScalarNode) or key.tag not in PLAIN:
            at.wrong("a key is no plain text", HOW)
        name = key.value.strip()
        inner = f"{path}.{name}" if path else name
        if name in found:
            Item("", file, at.line, inner).wrong(f"the key {name!r} stands twice", "Write it once.")
        child = _item(value, file, inner, depth + 1)
        found[name] = Item(child.content, file, at.line, inner)
    return Item(found, file, line, path)
