"""C of one layer: functions of its parts for blocks of points and pairs.

`Real` is the type of the arithmetic; the arrays of the network may be of another.
"""

from __future__ import annotations

from ....lower.schedule import Kind
from ....lower.split import SIDE_ARGS, Parts, split, stages
from ..backend import CBackend
from ..blocks import LANES, block_function
from ..fuse import SCALES, Part, has_next_root, lane_parts
from ..text import wrap
from .steady import carried


class LayerText:
    """The C of one kind of layer, and the calls of it in the loops over a block of pairs."""

    def __init__(self, index: int, kind: Kind, c: CBackend, gap: bool = False) -> None:
        self.c = c
        self.gap = gap
        self.parts: Parts = split(kind.pair)
        rule = carried(kind.pair) if gap else None
        self.even = rule is not None and rule.absolute != ""
        self.name = f"layer{index}{c.tag}"
        self.staged = len(stages(self.parts.pair)) > 1
        self.params = len(self.parts.first.args) - 4
        self.scaled = not self.staged and (gap or has_next_root(self.parts.pair))
        self.lanes: tuple[Part, ...] = ()
        if not self.staged:
            self.lanes = lane_parts(self.parts.pair, self.name, c, self.parts.features, gap)

    @property
    def width(self) -> int:
        """The larger number of features of a point; at least one."""
        return max(1, *(len(f) for f in self.parts.features)) + 3 * self.scaled

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
            pieces += [part.text for part in self.lanes]
        return "\n".join(pieces)

    def _rows(self, name: str) -> str:
        return f"{self.c.real} (*NTKSYM_RESTRICT {name})[{LANES}]"

    def side(self, which: int, count: str) -> str:
        """The call that fills the features of `count` points; nothing if there are none."""
        features, to = self.parts.features[which], f"f{'xy'[which]}"
        text = f"{self.name}_{'xy'[which]}({count}, side, v, {to});" if features else ""
        if self.scaled:
            suffix = "_f32" if self.c.tag else ""
            text += f"\n        scale_side{suffix}({count}, side[1], {to} + {len(features)});"
        return text.strip()

    def loops(self, first: str, indent: str, near: bool) -> str:
        """The loops over the lanes; `first` is the place of a feature of x, @ for its number.

        Where the roots of `near` pairs are mended after them, they leave the covariance and the
        root before the layer in `old`.
        """
        xs, ys = self.parts.features
        if self.scaled:
            xs, ys = (*xs, *SCALES[0]), (*ys, *SCALES[1])
        places = {a: first.replace("@", str(j)) for j, a in enumerate(xs)}
        places |= {a: f"fy[{j}][i]" for j, a in enumerate(ys)}
        places |= {a: f"now[{j}][i]" for j, a in enumerate(("q12", "root", "t12"))}
        places |= {a: f"v[{j}]" for j, a in enumerate(self.parts.first.args[4:])}
        stored: dict[str, str] = {}
        made = ("nc", "nr", "nt", "ng")[: 3 + self.gap]
        text = ""
        for part in self.lanes:
            stored |= {a: f"w{len(stored) + j}_" for j, a in enumerate(part.makes)}
            text += f"{indent}for (size_t i = 0; i < m; ++i) {{\n"
            if not part.makes:
                text += f"{indent}  Real {', '.join(made)};\n"
            given = [places.get(a, "now[3][i]") for a in part.args]
            takes = [f"{stored[a]}[i]" for a in part.takes]
            ends = [f"&{stored[a]}[i]" for a in part.makes]
            ends = ends or ["&nc", "&nt", "&nr", "&ng"][: len(made)]
            text += wrap(f"{indent}  {part.name}(", [*given, *takes, *ends]) + ";\n"
            if not part.makes:
                text += "".join(f"{indent}  old[{k}][i] = now[{k}][i];\n" for k in (0, 1) if near)
                for k, found in enumerate(made):
                    text += f"{indent}  now[{k}][i] = {found};\n"
            text += f"{indent}}}\n"
        if not stored:
            return text
        items = ", ".join(f"{w}[LANES]" for w in stored.values())
        return f"{indent}Real {items};\n" + text
