#!/usr/bin/env python3
"""Runs a plugin that was written for Sceptre as one of deployer's.

Copy or link this file as deployer-resolver-NAME, deployer-hook-NAME or
deployer-template-NAME; NAME is that of the Python entry point.
"""
import json
import os
import sys
import types
from importlib import metadata

GROUPS = {
    "resolver": "sceptre.resolvers",
    "hook": "sceptre.hooks",
    "template": "sceptre.template_handlers",
}


class ConnectionManager:
    """As much of Sceptre's as plugins use. Who we are is in the environment."""

    def __init__(self, region):
        self.region, self.profile, self.sceptre_role, self.iam_role = region, None, None, None

    def get_session(self, profile=None, region=None, **_):
        import boto3
        return boto3.Session(profile_name=profile, region_name=region or self.region)

    def _get_session(self, profile, region, role, **_):
        return self.get_session(profile, region)

    def call(self, service, command, kwargs=None, stack_name=None, region=None, profile=None, **_):
        client = self.get_session(profile, region).client(service)
        return getattr(client, command)(**(kwargs or {}))


def load(kind, name):
    points = metadata.entry_points()
    group = GROUPS[kind]
    found = points.select(group=group) if hasattr(points, "select") else points.get(group, [])
    for point in found:
        if point.name == name:
            return point.load()
    raise LookupError("no Python package here has an entry point %s in %s" % (name, group))


def run(request, kind, name):
    manager = ConnectionManager(request["region"])
    plugin = load(kind, name)
    if kind == "template":
        arguments = {k: v for k, v in request["argument"].items() if k != "type"}
        handler = plugin(
            name=request["stack"], arguments=arguments, sceptre_user_data=request.get("user_data"),
            connection_manager=manager, stack_group_config={"project_path": request["project"]},
        )
        handler.validate()
        body = handler.handle()
        return body.decode() if isinstance(body, bytes) else body
    stack = types.SimpleNamespace(
        name=request["stack"], external_name=request["stack_name"], region=request["region"],
        profile=None, sceptre_role=None, iam_role=None, project_code=request["project_code"],
        connection_manager=manager, stack_group_config={"project_path": request["project"]},
        dependencies=[], parameters={}, tags={}, sceptre_user_data={},
    )
    made = plugin(request["argument"], stack)
    made.setup()
    return made.run() if kind == "hook" else made.resolve()


def main():
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the plugin prints is talk
    _, kind, name = os.path.basename(sys.argv[0]).split("-", 2)
    request = json.load(sys.stdin)
    if kind == "hook":
        os.dup2(answer.fileno(), 1)
        run(request, kind, name)
        return
    try:
        reply = {"value": run(request, kind, name)}
    except Exception as error:
        reply = {"error": "%s: %s" % (type(error).__name__, error)}
    json.dump(reply, answer)
    answer.flush()


if __name__ == "__main__":
    main()
