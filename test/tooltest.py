# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""lit's ShTest, in a checkout whose path may contain spaces."""

import os

import lit.formats
import lit.TestRunner


class ToolTest(lit.formats.ShTest):
    """Substitutes paths that hold spaces by relative ones: lit doesn't quote what it substitutes."""

    def __init__(self, paths):
        super().__init__(execute_external=False)
        self.paths = paths

    def execute(self, test, lit_config):
        source = test.getSourcePath()
        _, base = lit.TestRunner.getTempPaths(test)
        directory = os.path.dirname(test.getExecPath())
        paths = {**self.paths, "%s": source, "%S": os.path.dirname(source), "%t": base + ".tmp"}
        words = [(name, os.path.relpath(path, directory) if any(map(str.isspace, path)) else path)
                 for name, path in paths.items()]
        return lit.TestRunner.executeShTest(test, lit_config, False, words)
