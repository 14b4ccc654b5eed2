# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is drawn of layers, and what wrong files get."""

import json
import sys
import xml.etree.ElementTree
from pathlib import Path

import layer
import layer_parts
import plot
import pytest
from test_layer_bench import dense, mixed

HERE = Path(__file__).resolve().parent
KEPT = HERE / "measurements" / "layer" / "h200.json"
PICTURE = HERE.parent / "docs" / "layers.svg"


@pytest.fixture
def run(monkeypatch, tmp_path):
    def run(rows, output="layers.svg"):
        results = tmp_path / "layer.json"
        results.write_text(rows if isinstance(rows, str) else json.dumps(rows))
        monkeypatch.setattr(sys, "argv", ["layer_parts.py", str(results), "-o", str(tmp_path / output)])
        return layer_parts.main(), tmp_path / output
    return run


def test_each_bar_has_its_parts():
    labels, stacks = layer_parts.dense_stacks([dense(layer.dense_items()[0])])
    assert labels == ["2112 x 7168: bf16", "fp8gemm"] and stacks == [{"bf16": 30}, {"before": 5, "first": 15}]
    labels, stacks = layer_parts.mixed_stacks([mixed(layer.mixed_items(True)[0])])
    assert labels == ["deepseek-v3, 8 experts: fp8gemm", "fp8gemm, gated", "DeepGEMM, contiguous", "DeepGEMM, masked"]
    assert [sum(stack.values()) for stack in stacks] == [100, 125, 150, 125] and all(list(stack) == [*layer.PARTS] for stack in stacks)


def test_picture(run, capsys):
    pytest.importorskip("matplotlib")
    rows = [*map(dense, layer.dense_items()), *map(mixed, layer.mixed_items(True)), {**layer.dense_items()[0], "fault": "out of time"}]
    status, picture = run(rows)
    assert status == 0 and f"{picture}: 7 plots\n" == capsys.readouterr().out  # three M, four numbers of tokens
    said = "".join(xml.etree.ElementTree.parse(picture).getroot().itertext())
    assert "Linear layers, M = 16: 2112 x 7168: bf16 bf16 30.0; fp8gemm before 5.0, first 15.0" in said
    first = picture.read_bytes()
    assert run(rows) and picture.read_bytes() == first


def test_the_picture_of_the_readme_is_of_what_is_kept():
    groups = [layer_parts.dense_stacks([row for row in layer_parts.load(KEPT)[0] if row["m"] == m]) for m in layer.MS]
    said = "".join(xml.etree.ElementTree.parse(PICTURE).getroot().itertext())
    assert all(layer_parts.description(*group) in said for group in groups)


@pytest.mark.parametrize("rows, output, message", [
    ([], "x.svg", "expected a layer that was measured in '"), ([{"m": 1}], "x.svg", "KeyError: 'kind'"), ("{", "x.svg", "JSONDecodeError"),
    ([], "x.txt", "expected --output to end in .svg, .png, .pdf"), ([], "none/x.svg", "expected a folder")])
def test_wrong_files(run, rows, output, message):
    with pytest.raises(plot.BadResults) as ended:
        run(rows, output)
    assert str(ended.value).startswith("layer_parts.py: error: ") and message in str(ended.value)
