# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A folder with the Python package, packs and scripts for a benchmark on another machine, which has neither checkout nor compiler.

`options` are those of the command line: folder, gpu, and wheel, deep_gemm (a wheel) and compiler, or None.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


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
    for name in scripts:
        shutil.copy(HERE / name, folder)
    if options.deep_gemm:
        shutil.copy(options.deep_gemm, folder)


def stage_pack(options, name, problems):
    """NAME.fp8pack, and the list that it was compiled from."""
    listed, compiler = options.folder / f"{name}.json", options.compiler or ROOT / "build" / "bin" / "fp8gemm-compile"
    listed.write_text(json.dumps({"gpu": options.gpu, "problems": problems}))
    subprocess.run([compiler, f"--pack={listed}", "-o", options.folder / f"{name}.fp8pack", "--quiet", f"--cache={ROOT}/build/cache"], check=True)
