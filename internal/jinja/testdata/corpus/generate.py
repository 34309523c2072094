#!/usr/bin/env python3
"""Writes corpus.json: small templates and what real Jinja2 makes of them.

Run it with Jinja2 3.1 installed, in this directory: python3 generate.py
The Go test only reads corpus.json. cases.txt holds the templates.

A case starts with "=== name"; the template follows to the next "=== ". Lines
that start with "@" directly below the name set up the case:
  @opt trim_blocks=true       an option of the Environment
  @vars {"a": 1}              variables, as JSON, instead of the usual ones
  @file name.j2               what follows, to the next "@file" or "@main", is
  @main                       another template; "@main" returns to this one
The last line end of a template does not belong to it.
"""
import json
import re

import jinja2

VARS = {
    "name": "world", "n": 7, "f": 2.5, "yes": True, "no": False, "nil": None,
    "text": "Hello World foo", "empty": "", "html": "<a href=\"x\">'b' & c</a>",
    "xs": [3, 1, 2], "words": ["pear", "Apple", "fig"], "none_list": [],
    "d": {"b": 1, "a": 2, "C": 3}, "deep": {"x": {"y": [{"z": "found"}]}},
    "users": [
        {"name": "ann", "age": 30, "tags": ["x", "y"], "on": True},
        {"name": "Bob", "age": 25, "tags": [], "on": False},
        {"name": "cid", "age": 30, "tags": ["y"], "on": True},
    ],
    "lines": "one\ntwo\n\nthree\n", "uni": "größe €", "var": {"region": "eu-west-1"},
}


def read(path):
    cases, case, part = [], None, None
    for line in open(path, encoding="utf-8").read().split("\n"):
        if line.startswith("=== "):
            case = {"name": line[4:], "options": {}, "files": {}, "vars": None, "lines": []}
            part, head = case["lines"], True
            cases.append(case)
            continue
        if case is None:
            continue
        if line.startswith("@opt ") and head:
            key, value = line[5:].split("=", 1)
            case["options"][key] = json.loads(value)
        elif line.startswith("@vars ") and head:
            case["vars"] = json.loads(line[6:])
        elif line.startswith("@file "):
            part = case["files"].setdefault(line[6:], [])
        elif line == "@main":
            part = case["lines"]
        else:
            head = False
            part.append(line)
    for case in cases:
        case["template"] = "\n".join(case.pop("lines"))
        case["files"] = {k: "\n".join(v) for k, v in case["files"].items()}
    return cases


def kind(err):
    if isinstance(err, jinja2.TemplateNotFound):
        return "notfound"
    if isinstance(err, jinja2.UndefinedError):
        return "undefined"
    if isinstance(err, jinja2.TemplateSyntaxError):
        return "syntax"
    return "runtime"


def run(case):
    env = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
        loader=jinja2.DictLoader(case["files"]),
        **case["options"],
    )
    given = VARS if case["vars"] is None else case["vars"]
    out = {k: v for k, v in case.items() if v not in ({}, None)}
    try:
        source = case["template"]
        text = env.from_string(source).render(json.loads(json.dumps(given)))
        out["out"] = re.sub(r" at 0x[0-9a-f]+", "", text)  # differs every time
    except Exception as err:
        out["error"] = kind(err)
        out["message"] = str(err.message if isinstance(err, jinja2.TemplateError) else err)
        if isinstance(err, jinja2.TemplateSyntaxError):
            out["line"] = err.lineno
    return out


cases = [run(c) for c in read("cases.txt")]
assert len({c["name"] for c in cases}) == len(cases), "names must differ"
with open("corpus.json", "w", encoding="utf-8") as f:
    json.dump({"jinja2": jinja2.__version__, "vars": VARS, "cases": cases}, f, indent=1, ensure_ascii=False)
    f.write("\n")
print(len(cases), "cases,", sum("error" in c for c in cases), "of them errors")
