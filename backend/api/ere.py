# SPDX-License-Identifier: Apache-2.0
"""AWS's patterns (Java's dialect) as POSIX extended regular expressions over bytes.

AWS matches the whole string, so the result is anchored. It never refuses what AWS accepts: a
character beyond ASCII in a class (a letter of \\p{L}, say) becomes any byte above 127, and what
has no such form gives None: lookaheads, negated classes beyond ASCII, counts of what may be more
than one byte.
"""
import re

ASCII = 128
DIGIT = {chr(c) for c in range(0x30, 0x3A)}
WORD = DIGIT | {chr(c) for c in range(ASCII) if chr(c).isalpha()} | {"_"}
SPACE = set(" \t\n\v\f\r")
PRINT = {chr(c) for c in range(0x20, 0x7F)}
EVERY = {chr(c) for c in range(1, ASCII)}
BEYOND = "\x80"  # stands for every character beyond ASCII
PROPERTIES = {  # what \\p{NAME} holds within ASCII; all but Digit go beyond
    "L": {c for c in WORD - DIGIT if c != "_"},
    "N": DIGIT,
    "Z": {" "},
    "Print": PRINT,
}
CLASSES = {"d": DIGIT, "w": WORD, "s": SPACE, "D": EVERY - DIGIT | {BEYOND}, "W": EVERY - WORD | {BEYOND},
           "S": EVERY - SPACE | {BEYOND}}
SINGLE = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


class Inexpressible(Exception):
    pass


class Translation:
    def __init__(self, text):
        self.text, self.at = text, 0

    def next(self):
        if self.at == len(self.text):
            raise Inexpressible("it ends too early")
        self.at += 1
        return self.text[self.at - 1]

    def skip(self, expected):
        if self.text.startswith(expected, self.at):
            self.at += len(expected)
            return True
        return False

    def escape(self):
        """What follows a backslash: the set of characters it stands for."""
        c = self.next()
        if c in CLASSES:
            return CLASSES[c]
        if c == "p" and (m := re.compile(r"\{(\w+)\}").match(self.text, self.at)) and m[1] in PROPERTIES:
            self.at = m.end()
            return PROPERTIES[m[1]] | {BEYOND}
        if c in "xu":
            digits = 2 if c == "x" else 4
            code = int(self.text[self.at:self.at + digits], 16)
            self.at += digits
            return {chr(code) if code < ASCII else BEYOND}
        if c in SINGLE:
            return {SINGLE[c]}
        if c.isalnum():
            raise Inexpressible(f"\\{c}")
        return {c}

    def range_end(self, start):
        """The rest of START-END inside brackets, or just START."""
        if len(start) != 1 or self.text[self.at:self.at + 1] != "-" or self.text[self.at + 1:self.at + 2] in ("]", ""):
            return start
        back = self.at
        self.next()
        c = self.next()
        end = self.escape() if c == "\\" else {c}
        if len(end) != 1:  # "a-\\w": the dash stands for itself
            self.at = back
            return start
        low, high = min(start), min(end)
        return {chr(c) for c in range(ord(low), min(ord(high), ASCII - 1) + 1)} | ({BEYOND} if high == BEYOND else set())

    def bracket(self):
        negated = self.skip("^")
        found = set()
        while not self.skip("]"):
            c = self.next()
            if c == "[":
                raise Inexpressible("a class in a class")
            start = self.escape() if c == "\\" else {c if ord(c) < ASCII else BEYOND}
            found |= self.range_end(start)
        if negated and BEYOND in found:
            raise Inexpressible("a negated class beyond ASCII")
        return EVERY - found | {BEYOND} if negated else found

    def atom(self, chars):
        count = self.text[self.at:self.at + 1] == "{"
        if BEYOND in chars and count:
            raise Inexpressible("a count of what may be more than one byte")
        return one_of(chars - {"\0"})

    def translate(self):
        out = []
        while self.at < len(self.text):
            c = self.next()
            if c == "\\":
                out.append(self.atom(self.escape()))
            elif c == "[":
                out.append(self.atom(self.bracket()))
            elif c == ".":
                out.append(self.atom(EVERY - {"\n", "\r"} | {BEYOND}))
            elif c == "(":
                if self.text.startswith("?", self.at) and not self.skip("?:"):
                    raise Inexpressible("a group of Java's")
                out.append("(")
            elif c in "*+?}" and self.skip("?"):
                out.append(c)  # lazy or greedy is the same to a whole match
            elif ord(c) >= ASCII:
                raise Inexpressible("a character beyond ASCII")
            else:
                out.append(c)
        return "^(" + "".join(out) + ")$"


def one_of(chars):
    """A bracket expression, or the one character; bytes above 127 as Latin-1."""
    if len(chars) == 1 and BEYOND not in chars:
        c = min(chars)
        return "\\" + c if c in ".[*^$+?(){}|\\" else c
    if not chars:
        raise Inexpressible("an empty class")
    # In POSIX brackets "]" stands first, "-" last and "^" anywhere but first.
    text = "]" if "]" in chars else ""
    text += runs(chars - {"]", "-", "^", BEYOND})
    text += "\x80-\xff" if BEYOND in chars else ""
    if not text and "^" in chars:
        return "[-^]"
    return "[" + text + ("^" if "^" in chars else "") + ("-" if "-" in chars else "") + "]"


def runs(chars):
    """abcde as a-e."""
    out, codes = "", sorted(map(ord, chars))
    while codes:
        n = 1
        while n < len(codes) and codes[n] == codes[0] + n:
            n += 1
        run = "".join(map(chr, codes[:n]))
        out += run if n < 4 else f"{run[0]}-{run[-1]}"
        codes = codes[n:]
    return out


def posix(pattern):
    """The expression, or None where there is none."""
    try:
        return Translation(pattern).translate()
    except (Inexpressible, ValueError):
        return None
