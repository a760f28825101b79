"""C of one layer: functions of its parts for blocks of points and pairs.

`Real` is the type of the arithmetic; the arrays of the network may be of another.
"""

from __future__ import annotations

from ..lower.schedule import Kind
from ..lower.split import SIDE_ARGS, Parts, split, stages
from .c import CBackend, inline_function
from .c_blocks import LANES, block_function
from .c_text import wrap


class LayerText:
    """The C of one kind of layer, and the calls of it in the loops over a block of pairs."""

    def __init__(self, index: int, kind: Kind, c: CBackend) -> None:
        self.c = c
        self.parts: Parts = split(kind.pair)
        self.name = f"layer{index}{c.tag}"
        self.staged = len(stages(self.parts.pair)) > 1
        self.params = len(self.parts.first.args) - 4

    @property
    def width(self) -> int:
        """The larger number of features of a point; at least one."""
        return max(1, *(len(f) for f in self.parts.features))

    def functions(self) -> str:
        """The definitions."""
        pieces = []
        for which, p in enumerate((self.parts.first, self.parts.second)):
            if self.parts.features[which]:
                places = {a: f"s_[{k}][i]" for k, a in enumerate(SIDE_ARGS[which + 1])}
                places |= {a: f"v_[{k}]" for k, a in enumerate(p.args[4:])}
                ends = {label: f"f_[{k}][i]" for k, (label, _) in enumerate(p.outputs)}
                signature = [self._rows("s_"), f"const {self.c.real} *v_", self._rows("f_")]
                name = f"{self.name}_{'xy'[which]}"
                pieces.append(block_function(p, name, signature, places, ends, self.c))
        pair = self.parts.pair
        if self.staged:
            xs, ys = self.parts.features
            places = {a: f"fx_[{k}][i]" for k, a in enumerate(xs)}
            places |= {a: f"fy_[{k}][i]" for k, a in enumerate(ys)}
            places |= {a: f"state_[{k}][i]" for k, a in enumerate(("q12", "root", "t12"))}
            places |= {a: f"v_[{k}]" for k, a in enumerate(pair.args[len(places) :])}
            ends = {a: f"next_[{k}][i]" for k, a in enumerate(("nngp", "root", "ntk"))}
            signature = [self._rows(a) for a in ("fx_", "fy_", "state_")]
            signature += [f"const {self.c.real} *v_", self._rows("next_")]
            pieces.append(block_function(pair, self.name, signature, places, ends, self.c))
        else:
            pieces.append(inline_function(pair, self.name, self.c))
        return "\n".join(pieces)

    def _rows(self, name: str) -> str:
        return f"{self.c.real} (*restrict {name})[{LANES}]"

    def side(self, which: int, count: str) -> str:
        """The call that fills the features of `count` points; nothing if there are none."""
        if not self.parts.features[which]:
            return ""
        return f"{self.name}_{'xy'[which]}({count}, side, v, f{'xy'[which]});"

    def pair(self, first: str) -> str:
        """The call for one lane; `first` is the place of a feature of x, with @ for its number."""
        xs, ys = self.parts.features
        items = [first.replace("@", str(j)) for j in range(len(xs))]
        items += [f"fy[{j}][i]" for j in range(len(ys))]
        items += ["now[0][i]", "now[1][i]", "now[2][i]"] + [f"v[{j}]" for j in range(self.params)]
        items += ["&nc", "&nt", "&nr"]
        return wrap(f"          {self.name}(", items).lstrip() + ";"
