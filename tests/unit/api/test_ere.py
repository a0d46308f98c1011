#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""backend/api/ere.py: AWS's patterns as POSIX's, asked of the C library itself.

    test_ere.py FOLDER-OF-ERE
"""
import ctypes
import locale
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv.pop(1))
import ere  # noqa: E402

REG_EXTENDED = 1
libc = ctypes.CDLL(None)
locale.setlocale(locale.LC_ALL, "C")  # as pattern.c does

# pattern, what it takes, what it refuses
CASES = (
    ("[0-9]{12}", ["123456789012"], ["1234567890123", "12345678901", "12345678901a", ""]),
    (r"^\d{12}$", ["123456789012"], ["12345678901x"]),
    (r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+", ["a", "a/b", "a-b/c"], ["a//b", "/a", "a-/b", "A"]),
    (r"[\w-_]*", ["a-_Z9", ""], ["a b", "é"]),
    (r"[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+", ["sha256:0aF", "a-b_c+d.e:1"], ["sha256:g", "sha256:"]),
    (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", ["", "Team One", "grüße 世界", "a-b@c"], ["a!", "a\tb", "a~"]),
    (r"[^:*]*", ["a]^-b", "ü", ""], ["a:b", "*"]),
    (r"[^\x00-\x1F\x7F]+", ["a b ü"], ["a\x1f", "\x7f", ""]),
    (r"[\u0009\u000A\u000D\u0020-\u00FF]+", ["a\tb\n", "]^-\\"], ["\x01"]),
    (r"^[!#$%&'*+-.^_`|~0-9a-zA-Z]+$", ["a-b", "^", "x+,y"], ["a b", "(", "\\"]),
    (r"aws\.partner(/[\.\-_A-Za-z0-9]+){2,}", ["aws.partner/a/b", "aws.partner/a/b/c"], ["awsxpartner/a/b", "aws.partner/a"]),
    (r"^$|arn:.+", ["", "arn:x"], ["arn:", "x"]),
    (r"a+?b*?", ["a", "aab"], ["b", "abc"]),
    (r"[-^]", ["-", "^"], ["a"]),
    (r"\^\$\(\)\[\]\{\}\|\\", ["^$()[]{}|\\"], ["^$()[]{}|"]),
)

INEXPRESSIBLE = (r"^(?!\s*$).+", r"[^\u0100]", r".{1,5}", r"\S{3}", "é+", r"\bword", r"[a[bc]]", "[abc", r"\p{Greek}")


def matches(expression, text):
    compiled = ctypes.create_string_buffer(256)
    if libc.regcomp(compiled, expression.encode("latin-1"), REG_EXTENDED) != 0:
        raise ValueError(f"regcomp refuses {expression}")
    try:
        return libc.regexec(compiled, text.encode(), 0, None, 0) == 0
    finally:
        libc.regfree(compiled)


class Patterns(unittest.TestCase):
    def test_the_same_is_taken_and_refused(self):
        for pattern, taken, refused in CASES:
            expression = ere.posix(pattern)
            self.assertIsNotNone(expression, pattern)
            for text in taken:
                self.assertTrue(matches(expression, text), f"{pattern} as {expression} refuses {text!r}")
            for text in refused:
                self.assertFalse(matches(expression, text), f"{pattern} as {expression} takes {text!r}")

    def test_no_form_is_better_than_a_wrong_one(self):
        for pattern in INEXPRESSIBLE:
            self.assertIsNone(ere.posix(pattern), pattern)


if __name__ == "__main__":
    unittest.main()
