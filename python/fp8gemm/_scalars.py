# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Integers and flags as arguments. Errors name the argument."""

import operator


def count(name, value, least=0, most=2**31 - 1):
    """An integer in [least, most]."""
    try:
        number = operator.index(value) if not isinstance(value, bool) else None
    except TypeError:
        number = None
    if number is None:
        raise TypeError(f"expected '{name}' to be an integer, got {value!r}")
    if not least <= number <= most:
        raise ValueError(f"expected '{name}' in [{least}, {most}], got {number}")
    return number


def flag(name, value):
    if not isinstance(value, bool):
        raise TypeError(f"expected '{name}' to be True or False, got {value!r}")
    return value
