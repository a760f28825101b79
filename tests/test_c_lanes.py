"""Functions of a layer in C are in the loops that call them: what is called is no vector code."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ntksym.backends import Contract
from ntksym.backends.c.network.file import network_file
from ntksym.lower import lower_network
from ntksym.network import mlp, recurse
from ntksym.runtime.engines import with_support
from ntksym.runtime.library.compiler import find_compiler, written


def test_no_layer_function_is_called(tmp_path: Path) -> None:
    """However long it is."""
    schedule = lower_network(recurse(mlp("x*sin(x)*exp(-x**2/2)", depth=2)))
    source = network_file(schedule, Contract("test", ("a network",)))
    written(with_support(source), tmp_path)
    text = source.text
    assert "NTKSYM_LANE_FUNCTION void layer0" in text
    compiler = find_compiler()
    flags = [f for f in compiler.flags if f != "-shared"]
    argv = [*compiler.command, *flags, "-S", "-o", "network.s", source.name]
    subprocess.run(argv, cwd=tmp_path, check=True)
    made = (tmp_path / "network.s").read_text()
    labels = {line.split(":")[0] for line in made.splitlines() if line.startswith("layer0")}
    assert "layer0_diag" in labels
    assert not {label for label in labels if label[6:].strip("_0123456789") == ""}, labels
