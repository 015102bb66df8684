"""Answers what dnf and libsolv would install on an empty system.

usage: judges.py DIRECTORY

Each line of standard input is a JSON object for one universe:
  repositories: [{"directory", "priority"}], requests: [[name, ...], ...],
  modules: ["name:stream", ...], weak: bool
Each is answered with a line of JSON: {"dnf": [answer, ...], "libsolv": [...]},
where an answer is a sorted list of packages, null where there is none, or a
text that says why the judge was not asked.
"""
import json
import os
import sys

import dnf
import solv


def nevra(name, epoch, version, release, arch):
    return "%s-%d:%s-%s.%s" % (name, epoch, version, release, arch)


def ask_dnf(universe, work):
    modules = os.path.join(work, "root/etc/dnf/modules.d")
    os.makedirs(modules, exist_ok=True)
    for name in os.listdir(modules):
        os.remove(os.path.join(modules, name))
    for module in universe["modules"]:
        name, stream = module.split(":")
        with open(os.path.join(modules, name + ".module"), "w") as f:
            f.write("[%s]\nname=%s\nstream=%s\nprofiles=\nstate=enabled\n" % (name, name, stream))
    base = dnf.Base()
    conf = base.conf
    conf.installroot = os.path.join(work, "root")
    conf.persistdir = conf.cachedir = os.path.join(work, "cache")
    conf.reposdir = conf.pluginconfpath = []
    conf.config_file_path = ""
    conf.module_platform_id = "platform:el9"
    conf.install_weak_deps = universe["weak"]
    conf.gpgcheck = False
    conf.plugins = False
    conf.substitutions["releasever"] = "9"
    conf.substitutions["arch"] = "x86_64"
    conf.substitutions["basearch"] = "x86_64"
    for i, r in enumerate(universe["repositories"]):
        repo = dnf.repo.Repo("r%d" % i, conf)
        repo.baseurl = ["file://" + r["directory"]]
        repo.priority = r["priority"]
        base.repos.add(repo)
    base.fill_sack(load_system_repo=False)
    answers = []
    for request in universe["requests"]:
        base.reset(goal=True)
        try:
            for one in request:
                base.install(one)
            base.resolve()
            answers.append(sorted(nevra(p.name, p.epoch, p.version, p.release, p.arch) for p in base.transaction.install_set))
        except dnf.exceptions.Error:
            answers.append(None)
    base.close()
    return answers


def ask_libsolv(universe):
    pool = solv.Pool()
    pool.setdisttype(solv.Pool.DISTTYPE_RPM)
    pool.setarch("x86_64")
    pool.set_flag(solv.Pool.POOL_FLAG_IMPLICITOBSOLETEUSESCOLORS, 1)
    for i, r in enumerate(universe["repositories"]):
        repo = pool.add_repo("r%d" % i)
        repo.priority = -r["priority"]
        metadata = os.path.join(r["directory"], "repodata/")
        repo.add_rpmmd(solv.xfopen(metadata + "primary.xml"), None)
        repo.add_rpmmd(solv.xfopen(metadata + "filelists.xml"), "FL", solv.Repo.REPO_EXTEND_SOLVABLES)
    pool.addfileprovides()
    pool.createwhatprovides()
    obsoleted = {str(dep).split()[0] for s in pool.solvables for dep in s.lookup_deparray(solv.SOLVABLE_OBSOLETES)}
    answers = []
    for request in universe["requests"]:
        jobs, known = [], True
        if obsoleted.intersection(request):
            answers.append("not asked: dnf takes the package that obsoletes it")
            continue
        for one in request:
            selection = pool.select(one, solv.Selection.SELECTION_NAME | solv.Selection.SELECTION_PROVIDES | solv.Selection.SELECTION_REL | solv.Selection.SELECTION_DOTARCH)
            known = known and not selection.isempty()
            # A request leaves the architecture open, as with dnf.
            jobs += selection.jobs(solv.Job.SOLVER_INSTALL | solv.Job.SOLVER_SETARCH)
        solver = pool.Solver()
        solver.set_flag(solv.Solver.SOLVER_FLAG_IGNORE_RECOMMENDED, 0 if universe["weak"] else 1)
        solver.set_flag(solv.Solver.SOLVER_FLAG_BEST_OBEY_POLICY, 1)
        solver.set_flag(solv.Solver.SOLVER_FLAG_YUM_OBSOLETES, 1)
        if not known or solver.solve(jobs):
            answers.append(None)
            continue
        answer = []
        for s in solver.transaction().newsolvables():
            epoch, _, rest = s.evr.rpartition(":")
            version, _, release = rest.rpartition("-")
            answer.append(nevra(s.name, int(epoch or 0), version, release, s.arch))
        answers.append(sorted(answer))
    return answers


for line in sys.stdin:
    universe = json.loads(line)
    answer = {"dnf": ask_dnf(universe, sys.argv[1])}
    # Modules are dnf's, libsolv knows nothing of them.
    answer["libsolv"] = None if universe["modules"] or universe.get("modular") else ask_libsolv(universe)
    print(json.dumps(answer), flush=True)
