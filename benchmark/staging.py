# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A folder with the Python package, packs and scripts for a benchmark on another machine, which has neither checkout nor compiler.

`options` are those of the command line (`command_line`): folder, gpu, and wheel, deep_gemm (a wheel) and compiler, or None. This file is in
the folder, too.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def command_line(doc, seconds, has_peer):
    """A parser of `stage FOLDER` and `run FOLDER`, its commands, and these two, to which a benchmark adds its own options. `seconds`: after which
    nothing is started; has_peer: whether DeepGEMM may be staged."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    stage = commands.add_parser("stage")
    stage.add_argument("folder", type=Path)
    stage.add_argument("--gpu", default="h200-sxm")
    stage.add_argument("--wheel", type=Path, help="of fp8gemm; made if not given")
    stage.add_argument("--compiler", type=Path, help="fp8gemm-compile; that in build/bin if not given")
    stage.set_defaults(deep_gemm=None)
    if has_peer:
        stage.add_argument("--deep-gemm", type=Path, help="a wheel for the Python of the other machine")
    run = commands.add_parser("run")
    run.add_argument("folder", type=lambda text: Path(text).resolve())
    run.add_argument("--seconds", type=float, default=seconds)
    return parser, commands, stage, run


def stage_package(options, scripts):
    """The package, unpacked into `site`, DeepGEMM's wheel and the scripts, by their names in this folder."""
    folder, wheel = options.folder, options.wheel
    folder.mkdir(parents=True, exist_ok=True)
    if not wheel:
        environment = {"SKBUILD_BUILD_DIR": str(ROOT / "build" / "python"), **os.environ}
        for old in folder.glob("fp8gemm-*.whl"):
            old.unlink()
        subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", ROOT / "python", "-w", folder],
                       env=environment, check=True)
        wheel = next(folder.glob("fp8gemm-*.whl"))
    shutil.rmtree(folder / "site", ignore_errors=True)
    zipfile.ZipFile(wheel).extractall(folder / "site")
    for name in (*scripts, Path(__file__).name):
        shutil.copy(HERE / name, folder)
    if options.deep_gemm:
        shutil.copy(options.deep_gemm, folder)


def stage_pack(options, name, problems):
    """NAME.fp8pack, and the list that it was compiled from."""
    listed, compiler = options.folder / f"{name}.json", options.compiler or ROOT / "build" / "bin" / "fp8gemm-compile"
    listed.write_text(json.dumps({"gpu": options.gpu, "problems": problems}))
    subprocess.run([compiler, f"--pack={listed}", "-o", options.folder / f"{name}.fp8pack", "--quiet", f"--cache={ROOT}/build/cache"], check=True)
