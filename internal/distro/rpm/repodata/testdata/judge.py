"""Tells what dnf would install, from nothing, for each line of standard input.

usage: judge.py FOLDER REPOSITORY... with REPOSITORY "name;address;option=value;…"
Prints a line of JSON for each request: a list of packages, or null.
"""
import json
import os
import sys

import dnf

folder = sys.argv[1]
modules = os.path.join(folder, "root/etc/dnf/modules.d")
os.makedirs(modules)
for line in sys.stdin:
    requests = line.strip().split(" & ")
    for name in os.listdir(modules):
        os.remove(os.path.join(modules, name))
    for request in requests:
        if request.startswith("module "):
            name, stream = request[7:].split(":")
            with open(os.path.join(modules, name + ".module"), "w") as f:
                f.write("[%s]\nname=%s\nstream=%s\nprofiles=\nstate=enabled\n" % (name, name, stream))
    base = dnf.Base()
    conf = base.conf
    conf.installroot = os.path.join(folder, "root")
    conf.persistdir = conf.cachedir = os.path.join(folder, "cache")
    conf.reposdir = conf.pluginconfpath = []
    conf.config_file_path = ""
    conf.module_platform_id = "platform:el9"
    conf.install_weak_deps = os.environ.get("WEAK") == "1"
    conf.gpgcheck = False
    conf.plugins = False
    conf.substitutions["releasever"] = "9"
    conf.substitutions["arch"] = "x86_64"
    conf.substitutions["basearch"] = "x86_64"
    for repository in sys.argv[2:]:
        name, address, *options = repository.split(";")
        repo = dnf.repo.Repo(name, conf)
        repo.baseurl = [address]
        for option in options:
            key, value = option.split("=", 1)
            setattr(repo, key, value.split(",") if key in ("excludepkgs", "includepkgs") else int(value))
        base.repos.add(repo)
    base.fill_sack(load_system_repo=False)
    try:
        for request in requests:
            if not request.startswith("module "):
                base.install(request)
        base.resolve()
        print(json.dumps(sorted(
            "%s-%d:%s-%s.%s" % (p.name, p.epoch, p.version, p.release, p.arch)
            for p in base.transaction.install_set)))
    except dnf.exceptions.Error:
        print("null")
    base.close()
