# Runs a template written in Python: reads a request on standard input, calls
# its sceptre_handler, and writes one JSON answer to standard output. What the
# template itself prints goes to standard error.
import json
import os
import sys
import traceback
import types

answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)
request = json.load(sys.stdin)
sys.path.pop(0)  # "-c" puts the working directory there, which Sceptre does not
sys.path.extend(request["paths"])


def reply(**fields):
    answer.write(json.dumps(fields))
    answer.flush()
    os._exit(0)


def fail(error):
    where, line = "", 0
    frames = []
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == "<string>":
            continue
        frames.append("%s:%s in %s" % (frame.filename, frame.lineno, frame.name))
        if frame.filename == request["file"]:
            where, line = frame.filename, frame.lineno
    if isinstance(error, SyntaxError) and error.filename:
        where, line = error.filename, error.lineno or 0
    module = error.name if isinstance(error, ImportError) else None
    reply(error={
        "type": type(error).__name__,
        "text": str(error.msg if isinstance(error, SyntaxError) else error),
        "file": where, "line": line, "frames": frames[-4:], "module": module or "",
    })


try:
    module = types.ModuleType(os.path.splitext(os.path.basename(request["file"]))[0])
    module.__file__ = request["file"]
    exec(compile(request["source"], request["file"], "exec"), module.__dict__)
    handler = getattr(module, "sceptre_handler", None)
    if handler is None:
        reply(error={"type": "", "text": "it has no function sceptre_handler(sceptre_user_data)",
                     "file": "", "line": 0, "frames": [], "module": ""})
    body = handler(request["data"])
    if not isinstance(body, str):
        reply(error={"type": "", "text": "sceptre_handler gave %s, not a text" % type(body).__name__,
                     "file": "", "line": 0, "frames": [], "module": ""})
    reply(body=body)
except SystemExit as error:
    fail(RuntimeError("it called sys.exit(%s)" % (error.code,)))
except BaseException as error:
    fail(error)
