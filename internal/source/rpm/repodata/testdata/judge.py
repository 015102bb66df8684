"""Tells what dnf would install, from nothing, for each line of standard input.

usage: judge.py FOLDER REPOSITORY... with REPOSITORY "name;address;option=value;…"
Prints a line of JSON for each request: a list of packages, or null.
"""
import json
import os
import sys

import dnf
import libdnf

folder = sys.argv[1]
for line in sys.stdin:
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
        for request in line.strip().split(" & "):
            if request.startswith("module "):
                dnf.module.module_base.ModuleBase(base).enable([request[7:]])
                base.fill_sack(load_system_repo=False)
                continue
            base.install(request)
        base.resolve()
        print(json.dumps(sorted(
            "%s-%d:%s-%s.%s" % (p.name, p.epoch, p.version, p.release, p.arch)
            for p in base.transaction.install_set)))
    except dnf.exceptions.Error:
        print("null")
    base.close()
