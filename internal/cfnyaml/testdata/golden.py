#!/usr/bin/env python3
"""Writes golden.json: what PyYAML's SafeLoader makes of scalars and documents.

Run it after changing the lists below: python3 golden.py > golden.json
The Go test reads golden.json only and needs no Python.
"""

import datetime
import itertools
import json
import sys

import yaml

SCALARS = """
~ null Null NULL nULL none None true True TRUE tRUE false False FALSE
yes Yes YES yES no No NO nO on On ON oN off Off OFF y Y n N t f
0 1 -1 +1 00 01 07 08 010 -010 +010 0o10 0_ 0_7 1_000 1__0 _1 1_ -1_0 12345678901234567890123
0b1 0b101 -0b11 0b 0b2 0b1_0 0B1 0x1F 0X1F 0x 0x_ 0xG -0xff 0x1_f
1:30 1:30:45 -1:30 190:20:30 1:60 1:99 01:30 0:30 1:5 1:05 1:30.5 1:30.25 1:30: 20:30:45.15 -1:30.5
1.5 1. .5 -.5 +.5 1.50 -1.5 +1.5 1_0.5 1.5_0 1.e+3 1.e3 1e3 1E3 1.0e3 1.0e+3 1.0E-3 1.5e+400 1e+3 .5e+3 .5e3 01.5 00.5
1.10 3.0 100.0 0.0 -0.0 0.0001 0.00001 1234567890123456.0 12345678901234567.0 1.0e+16 1.0e+15 1.0e+20 1.0e-7 0.1 123.456 1.7976931348623157e+308 5.0e-324
.inf .Inf .INF .iNf -.inf +.inf .nan .NaN .NAN -.nan . .. ... -.  ._ ._1 1._ 1.2.3 1.2.3.4 10.0.0.0/16
2012-10-17 2010-09-09 2024-1-1 2024-01-1 2024-13-45 2001-12-14t21:59:43.10-05:00 2001-12-15T02:59:43.1Z 2001-12-14T21:59:43 2012-10-17T00:00:00Z 2012-10-17x 20121017 2012-10
012345670123 123456789012 012345678901 000000000001
= << + - -- +- a a.b t3.micro 80 -80 80-90 0.0.0.0/0 1,2 1-2 5m 10s 1d e3 E .e3 0.5.1 ::1 12:34:56:78 00:11:22:33:44:55
vpc-0123456789abcdef0 arn:aws:iam::123456789012:role/x
""".split()

# Every short string over an alphabet on which number patterns turn.
SCALARS += ["".join(p) for n in (1, 2, 3) for p in itertools.product("01_.:-+xeb", repeat=n)]
SCALARS += [a + "." + b for a in ("1", "12", "1_2", "-1", "+1", "0", "-") for b in ("", "0", "5", "_", "5e+1", "5e-10", "5e1", "e+1")]
SCALARS += ["2001-12-14 21:59:43.10 -5", "2001-12-15 2:59:43.10", "2002-12-14  1:2:3", "2001-12-14 21:59", "2001-12-14 21:59:43 Z"]

TAGGED = [
    "!!str 5", "!!str yes", "!!str", "!!int '5'", "!!int 0x10", "!!int abc", "!!int 1:30", "!!float 1", "!!float '1.5'", "!!float 1e3",
    "!!float x", "!!bool yes", "!!bool 'off'", "!!bool 1", "!!null x", "!!timestamp 2001-01-01", "!!timestamp x", "'5'", '"yes"', "! 5",
    "!!int '_'", "!!float .inf", "!!float 1:30",
]

DOCUMENTS = [
    "a: 1\nb: [x, 2, 1.50]\n",
    "a: 1\na: 2\n",
    "a: 1\nb: 2\na: 3\n",
    "base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n  z: 4\n",
    "base: &b {x: 1, y: 2}\nuse:\n  z: 4\n  y: 3\n  <<: *b\n",
    "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nuse:\n  <<: [*a, *b]\n  w: 0\n",
    "a: &a {x: 1}\nb: &b\n  <<: *a\n  y: 2\nc:\n  <<: *b\n  x: 9\n",
    "a: &a {x: 1}\nuse:\n  <<: *a\n  <<: {x: 5, q: 6}\n",
    "'<<': {x: 1}\n",
    "<<: 3\n",
    "<<: [1]\n",
    "a: &x [1, 2]\nb: *x\n",
    "a: &x yes\nb: *x\n",
    "&k key: 1\nother: *k\n",
    "",
    "# only a comment\n",
    "---\n",
    "--- text\n",
    "a: 1\n...\n",
    "a: 1\n---\nb: 2\n",
    "a: |\n  one\n  two\n\nb: >\n  folded\n  text\n\nc: |-\n  no end\nd: |+\n  kept\n\n",
    "a: 'it''s'\nb: \"tab\\tand \\u00e9\"\n",
    "a: plain\n  goes on\n  here\n",
    "? a\n: 1\n? b\n",
    "? [a]\n: 1\n",
    "- - a\n  - b\n- {c: d, e: }\n",
    "a:\n- 1\n- 2\n",
    "{a: 1, b: [yes, 010, ~]}\n",
    "[1, 2, ]\n",
    "a: !!map {x: 1}\n",
    "a: !!map [x]\n",
    "a: !!seq [x]\n",
    "a: b: c\n",
    "a: [1, 2\n",
    "\ta: 1\n",
    "a: *nope\n",
    "%YAML 1.1\n---\na: 1\n",
    "a: \"unclosed\n",
    "a: @at\n",
    "a: `tick`\n",
    "a: %percent\n",
    "a: 1\n b: 2\n",
    "é: ü\n",
    "a: x # comment\nb: x#none\n",
    "a: http://example.org:80/x\n",
    "10: x\nyes: y\n1.50: z\n~: n\n",
]


def show(value):
    """A value as [kind, text], lists and maps with their contents."""
    if value is None:
        return ["null", ""]
    if isinstance(value, bool):
        return ["bool", str(value).lower()]
    if isinstance(value, int):
        return ["int", str(value)]
    if isinstance(value, float):
        return ["float", str(value)]
    if isinstance(value, (datetime.date, datetime.datetime)):
        return ["time", ""]
    if isinstance(value, str):
        return ["string", value]
    if isinstance(value, list):
        return ["list", [show(v) for v in value]]
    if isinstance(value, dict):
        return ["map", [[show(k), show(v)] for k, v in value.items()]]
    raise TypeError(type(value))


def load(text):
    try:
        return show(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError, KeyError, IndexError, TypeError, AttributeError) as e:
        return ["error", type(e).__name__]


def scalar(text):
    """A scalar as the value of a key, if YAML reads it as one scalar at all."""
    try:
        node = yaml.compose("k: " + text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    value = node.value[0][1]
    if not isinstance(value, yaml.ScalarNode) or value.value != text or value.style is not None:
        return None
    return load("k: " + text)


out = {"pyyaml": yaml.__version__, "scalars": {}, "documents": {}}
for text in SCALARS:
    found = scalar(text)
    if found is None:
        continue
    out["scalars"][text] = found[1][0][1] if found[0] == "map" else found
for text in TAGGED:
    found = load("k: " + text)
    out["documents"]["k: " + text] = found
for text in DOCUMENTS:
    out["documents"][text] = load(text)
json.dump(out, sys.stdout, ensure_ascii=True, indent=0, sort_keys=True)
sys.stdout.write("\n")
