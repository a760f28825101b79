"""Gram matrices: this package against its peers, each in its own environment, runs alternated.

    python codegen/bench/peers.py                                 # what this interpreter has
    python codegen/bench/peers.py --python scikit-ntk=VENV/bin/python --python torch=...
    python codegen/bench/peers.py --case relu:3:4000:f64 --peers xxt,tiled,ours-c

Both kernels (NNGP and NTK) of all pairs of n rows of dimension 784, |x|^2 = d, weight variance 2,
bias variance 0.01, a linear readout, outputs freshly allocated.  Every peer is a program of its own
that is told to run once, in turn with the others; a table of medians and of ratios to the bare
product X @ X.T is written, and a plot.  A peer that cannot be imported, or lacks an activation, is
a line in the table that says so.  `CPU s` counts all threads: it is the steadier number on a busy
machine.  `apart` is the largest difference to our double kernel on 60 rows,
relative to the diagonal: a peer that computes something else shows there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import peer_kernels

HERE = Path(__file__).resolve().parent
CASES = (
    "relu:3:1000:f64 relu:3:1000:f32 relu:3:4000:f64 relu:3:4000:f32 erf:3:4000:f64 erf:3:4000:f32 "
    "gelu:3:4000:f64 gelu:3:4000:f32 relu:20:4000:f64 relu:20:4000:f32"
)
SLOW = 20.0
"""Seconds after which a peer is run three times only."""


class Peer:
    """A worker program, or the reason why there is none."""

    def __init__(self, name: str, python: str, case: str, threads: int) -> None:
        self.name, self.seconds, self.reason = name, [], ""
        self.sample: list[list[float]] = []
        self.cpu: list[float] = []
        environment = dict(os.environ, PYTHONHASHSEED="0")
        if name in peer_kernels.OWN_THREADS:
            for library in ("OPENBLAS", "MKL", "OMP"):
                environment[f"{library}_NUM_THREADS"] = "1"
        command = [python, str(HERE / "peers.py"), "--worker", name, "--case", case]
        self.program = subprocess.Popen(
            [*command, "--threads", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        answer = self._answer()
        self.sample = answer.get("sample", [])

    def _answer(self) -> dict:
        line = self.program.stdout.readline()
        try:
            answer = json.loads(line)
        except ValueError:
            said = self.program.stderr.read().strip().splitlines()
            answer = {"reason": said[-1][:110] if said else "it ended without a word"}
        self.reason = answer.get("reason", "")
        return answer

    def run(self) -> None:
        if self.reason:
            return
        self.program.stdin.write("run\n")
        self.program.stdin.flush()
        answer = self._answer()
        if not self.reason:
            self.seconds.append(answer["seconds"])
            self.cpu.append(answer.get("cpu", 0.0))

    def close(self) -> int:
        """End it; its peak resident memory in MB, 0 where it cannot be read."""
        peak = 0
        if not self.reason:
            self.program.stdin.write("peak\n")
            self.program.stdin.flush()
            peak = int(self._answer().get("peak", 0))
        self.program.stdin.close()
        self.program.kill()
        self.program.wait()
        return peak


def worker(name: str, case: str, threads: int) -> None:
    """Make the peer's kernel, give it a small problem, then run once for every line read."""
    import numpy as np

    activation, depth, n, dtype = peer_kernels.parse(case)
    made = peer_kernels.make(name, activation, depth, dtype, threads)
    if isinstance(made, str):
        print(json.dumps({"reason": made}), flush=True)
        return
    x = peer_kernels.rows(n, dtype)
    sample = made(peer_kernels.rows(60, dtype))
    tables = [np.asarray(k, dtype=float).tolist() for k in sample]
    made(x)  # compiles what depends on the shape
    print(json.dumps({"sample": tables}), flush=True)
    for line in sys.stdin:
        if line.strip() == "peak":
            print(json.dumps({"peak": peer_kernels.peak_memory()}), flush=True)
            continue
        start, before = time.perf_counter(), time.process_time()
        out = made(x)
        seconds, work = time.perf_counter() - start, time.process_time() - before
        del out
        print(json.dumps({"seconds": seconds, "cpu": work}), flush=True)


def measure(
    case: str, names: list[str], pythons: dict[str, str], rounds: int, threads: int
) -> list[dict]:
    """Every peer on one case: runs in turn, one worker at a time at work."""
    peers = [Peer(n, pythons.get(n, sys.executable), case, threads) for n in names]
    for _ in range(rounds):
        for peer in peers:
            if len(peer.seconds) < 3 or statistics.median(peer.seconds) < SLOW:
                peer.run()
    rows = []
    for peer in peers:
        row = {"case": case, "peer": peer.name, "reason": peer.reason, "runs": len(peer.seconds)}
        row["peak"] = peer.close()
        if peer.seconds:
            row["seconds"] = statistics.median(peer.seconds)
            row["cpu"] = statistics.median(peer.cpu)
            row["least"], row["most"] = min(peer.seconds), max(peer.seconds)
        row["apart"] = peer_kernels.apart(peer.name, peer.sample, case)
        rows.append(row)
    return rows


def table(rows: list[dict], cases: list[str], head: str) -> str:
    """Markdown: a table per case, seconds, ratios, memory, differences."""
    text = head
    for case in cases:
        mine = [r for r in rows if r["case"] == case]
        bare = next((r.get("seconds") for r in mine if r["peer"] == "xxt"), None)
        own = next((r.get("seconds") for r in mine if r["peer"] == "ours-c"), None)
        hand = next((r.get("seconds") for r in mine if r["peer"] == "hand-c"), None)
        text += f"\n## {peer_kernels.title(case)}\n\n"
        text += (
            "| peer | median s | least to most | / X@X.T | / hand C | / ours (C) | CPU s | peak MB | "
            "apart |\n"
        )
        text += "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        for r in sorted(mine, key=lambda r: r.get("seconds", 1e9)):
            if "seconds" not in r:
                text += f"| {r['peer']} | - | {r['reason']} | | | | | | |\n"
                continue
            ratios = [f"{r['seconds'] / b:.2f}" if b else "" for b in (bare, hand, own)]
            apart = "" if r["apart"] is None else f"{r['apart']:.1e}"
            text += (
                f"| {r['peer']} | {r['seconds']:.4f} | {r['least']:.4f} to {r['most']:.4f} | "
                f"{' | '.join(ratios)} | {r['cpu']:.3f} | {r['peak'] or ''} | {apart} |\n"
            )
    return text


def plot(rows: list[dict], cases: list[str], path: Path) -> bool:
    """Bars of the ratio to X @ X.T, a group per case; False without Matplotlib."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "peers"
    from matplotlib import pyplot

    names = [
        n
        for n in peer_kernels.PEERS
        if n != "xxt" and any(r["peer"] == n and "seconds" in r for r in rows)
    ]
    figure, axes = pyplot.subplots(figsize=(1.6 + 1.35 * len(cases), 4.2), layout="constrained")
    width = 0.85 / max(1, len(names))
    for k, name in enumerate(names):
        at, heights = [], []
        for i, case in enumerate(cases):
            found = {r["peer"]: r.get("seconds") for r in rows if r["case"] == case}
            if found.get(name) and found.get("xxt"):
                at.append(i + (k - len(names) / 2) * width)
                heights.append(found[name] / found["xxt"])
        axes.bar(at, heights, width, align="edge", label=name)
    axes.set_yscale("log")
    axes.axhline(1.0, color="black", linewidth=0.8)
    axes.set_xticks(
        range(len(cases)), [peer_kernels.title(c).replace(", ", "\n") for c in cases], fontsize=7
    )
    axes.set_ylabel("time / time of X @ X.T")
    figure.legend(loc="outside upper center", fontsize=7, ncols=len(names))  # over no bar
    figure.savefig(path, metadata={"Date": None})
    return True


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--case", action="append", help="activation:depth:n:f32|f64, several times")
    parser.add_argument("--peers", default=",".join(peer_kernels.PEERS))
    parser.add_argument("--python", action="append", default=[], metavar="PEER=PATH")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path, default=HERE)
    given = parser.parse_args()
    if given.worker:
        worker(given.worker, given.case[0], given.threads)
        return
    names = given.peers.split(",")
    for name in names:
        if name not in peer_kernels.PEERS:
            parser.error(f"no peer {name!r}; there are: {', '.join(peer_kernels.PEERS)}")
    cases = given.case or CASES.split()
    given.out.mkdir(parents=True, exist_ok=True)
    pythons = dict(p.split("=", 1) for p in given.python)
    rows: list[dict] = []
    head = (
        "# Gram matrices against peers\n\n"
        f"Written by codegen/bench/peers.py.  {peer_kernels.processor()}, {given.threads} threads, "
        f"Python {platform.python_version()}; medians of {given.rounds} alternated runs, fewer for the "
        "slow.  Ratios of runs side by side mean something; seconds are those of one machine.\n"
    )
    for k, case in enumerate(
        cases, start=1
    ):  # what is done is kept when a later case is interrupted
        rows += measure(case, names, pythons, given.rounds, given.threads)
        print(table(rows, [case], ""), flush=True)
        text = table(rows, cases[:k], head)
        (given.out / "peers.md").write_text(text, encoding="utf-8")
        (given.out / "peers.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="ascii")
        if not plot(rows, cases[:k], given.out / "peers.svg"):
            print("no plot: Matplotlib is not installed")


if __name__ == "__main__":
    main()
