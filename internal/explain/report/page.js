"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const files = data.files;
  const byId = (id) => document.getElementById(id);
  const ROOT = -1, UNEXPLAINED = -2;

  const make = (tag, attributes = {}, ...children) => {
    const e = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "onclick") e.addEventListener("click", value);
      else if (value !== undefined && value !== false) e.setAttribute(name, value);
    }
    e.append(...children);
    return e;
  };
  const bytes = (n) => {
    for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) if (n >= size) return (n / size).toFixed(1) + " " + unit;
    return n + " B";
  };
  const packageOf = (f) => f.k >= 0 ? data.packages[f.k].name : f.o ? "(" + f.o + ")" : "(unknown)";
  // Hues go round by the golden angle, so that those of neighbours differ.
  const hues = new Map();
  const hue = (name) => {
    if (!hues.has(name)) hues.set(name, Math.round(210 + hues.size * 137.508) % 360);
    return hues.get(name);
  };
  files.forEach((f, i) => { f.i = i; });
  const reason = (f) => {
    if (f.w === UNEXPLAINED) return data.recorded ? "nothing that smith can see needs it" : "not needed by the entry point, as far as its bytes tell";
    return f.d || "";
  };
  const chainOf = (i) => {
    const chain = [];
    for (let at = i; at >= 0 && !chain.includes(at); at = files[at].w) chain.unshift(at);
    return chain;
  };

  // Figures, facts and findings.
  const checks = data.checks || [], broken = checks.filter((c) => !c.ok).length, suspects = data.suspects || [];
  for (const [name, value] of [
    ["compressed", bytes(data.compressed)], ["unpacked", bytes(data.unpacked)], ["files, links and folders", files.length],
    ["packages", data.packages.length], ["suspects", suspects.length], ["checks not ok", broken],
  ]) byId("figures").append(make("div", {}, make("dt", {}, name), make("dd", {}, String(value))));
  for (const f of [{ name: "platform", value: data.platform }, ...(data.facts || [])]) {
    if (f.value) byId("facts").append(make("dt", {}, f.name), make("dd", {}, f.value));
  }
  for (const c of [...checks.filter((c) => !c.ok), ...checks.filter((c) => c.ok)]) {
    byId("checks").append(make("li", { class: c.ok ? "ok" : "bad" }, c.name, ...(c.detail ? [make("span", { class: "quiet" }, c.detail)] : [])));
  }
  for (const w of data.warnings || []) byId("checks").append(make("li", { class: "warn" }, w));
  byId("spec-text").textContent = data.spec ? JSON.stringify(data.spec, null, 2) : "The image carries no spec.";
  const counted = (part, n, bad) => document.querySelector(`nav a[href="#${part}"]`).append(" ", make("span", { class: bad ? "bad-count" : "count" }, String(n)));
  counted("packages", data.packages.length);
  counted("files", files.length);
  counted("suspects", suspects.length);
  counted("findings", broken ? broken + " not ok" : "all ok", broken);

  // The chosen file, in every view.
  let chosen = -1;
  const views = [];
  const choose = (i) => {
    chosen = i;
    const f = files[i], list = make("ol");
    for (const at of chainOf(i)) {
      list.append(make("li", {}, make("button", { class: "path", onclick: () => choose(at) }, files[at].p), make("br"), make("span", { class: "quiet" }, reason(files[at]))));
    }
    const more = [make("p", { class: "end" }, bytes(f.s) + ", " + f.t + ", from " + packageOf(f) + (f.k >= 0 ? " " + data.packages[f.k].version : ""))];
    const voucher = f.k >= 0 ? data.packages[f.k].voucher : (data.vouchers || {})[f.o];
    if (voucher) more[0].append(make("br"), make("span", { class: "quiet" }, "← " + voucher));
    if (f.c) more.push(make("p", {}, "has " + f.c));
    if (f.x) {
      const others = make("ul");
      for (const at of f.x.slice(0, 50)) others.append(make("li", {}, make("button", { class: "path", onclick: () => choose(at) }, files[at].p)));
      more.push(make("p", {}, "Also needed by" + (f.x.length > 50 ? " " + f.x.length + " files, among them" : "") + ":"), others);
    }
    byId("chain").replaceChildren(list, ...more);
    for (const show of views) show();
  };

  // The treemap: groups of files, zoomed into one at a time: packages with
  // their files, or the folders.
  const group = (name, parent) => ({ name, parent, size: 0, children: new Map() });
  const grow = (by) => {
    const root = group("all", null);
    files.forEach((f, i) => {
      if (f.s === 0) return;
      const parts = by === "package" ? [packageOf(f), f.p] : f.p.split("/").slice(1);
      let at = root;
      at.size += f.s;
      parts.forEach((part, depth) => {
        if (!at.children.has(part)) at.children.set(part, group(part, at));
        at = at.children.get(part);
        at.size += f.s;
        if (depth === parts.length - 1) { at.file = i; at.name = part.slice(part.lastIndexOf("/") + 1); }
      });
    });
    return root;
  };
  const byFolder = () => byId("grouping").value === "folder";
  // A folder that holds nothing but one folder is one with it.
  const only = (g) => {
    let name = g.name;
    while (g.children.size === 1 && g.file === undefined && byFolder()) {
      g = g.children.values().next().value;
      name += "/" + g.name;
    }
    return { g, name };
  };
  // Bruls, Huizing, van Wijk: Squarified Treemaps. The items are sorted, so
  // that the first or the last of a row is the least square.
  const squarify = (items, x, y, w, h, place) => {
    let total = items.reduce((sum, i) => sum + i.size, 0);
    for (let at = 0; at < items.length && w > 1 && h > 1;) {
      const short = Math.min(w, h), scale = w * h / total;
      const worst = (first, last, sum) => {
        const side = sum * scale / short;
        return Math.max(...[first, last].map((i) => i.size * scale / side).map((length) => Math.max(side / length, length / side)));
      };
      let end = at + 1, sum = items[at].size;
      while (end < items.length && worst(items[at], items[end], sum + items[end].size) <= worst(items[at], items[end - 1], sum)) sum += items[end++].size;
      const side = sum * scale / short;
      let offset = 0;
      for (const item of items.slice(at, end)) {
        const length = item.size * scale / side;
        if (w >= h) place(item, x, y + offset, side, length);
        else place(item, x + offset, y, length, side);
        offset += length;
      }
      if (w >= h) { x += side; w -= side; } else { y += side; h -= side; }
      total -= sum;
      at = end;
    }
  };
  const map = byId("map");
  // The map begins where there is a choice.
  const start = (g) => g.children.size === 1 && g.file === undefined ? start(g.children.values().next().value) : g;
  let tree = grow("package"), zoomed = start(tree);
  const sorted = (g) => [...g.children.values()].map(only).map(({ g, name }) => ({ g, name, size: g.size })).sort((a, b) => b.size - a.size || (a.name < b.name ? -1 : 1));
  // A group's cell has a line for its name, and its content below that.
  const CELLS = 1200, LINE = 19;
  const drawMap = () => {
    map.replaceChildren();
    const cell = (item, x, y, width, height) => {
      const leaf = item.g.file !== undefined, f = leaf && files[item.g.file];
      const share = (100 * item.size / tree.size).toFixed(1) + " %";
      const colour = !leaf ? item.name : f.k < 0 && byFolder() ? f.p.replace(/[^/]*$/, "") : packageOf(f);
      const label = [];
      if (width > 48 && height > 15) label.push(make("span", {}, item.name));
      if (label.length && (leaf ? height > 34 && width > 64 : width > 110)) label.push(make("span", { class: "quiet" }, bytes(item.size)));
      map.append(make("button", {
        class: leaf ? undefined : byFolder() ? "group plain" : "group", tabindex: map.childElementCount ? -1 : 0,
        style: `left:${x}px;top:${y}px;width:${width}px;height:${height}px;--hue:${hue(colour)}`,
        title: (leaf ? f.p : item.name) + "  " + bytes(item.size) + "  " + share,
        "aria-label": (leaf ? f.p : item.name) + ", " + bytes(item.size) + ", " + share + (leaf ? ", a file" : ", zoom in"),
        "aria-current": leaf && item.g.file === chosen ? "true" : undefined,
        onclick: () => leaf ? choose(item.g.file) : zoom(item.g),
      }, ...label));
    };
    const fill = (g, x, y, w, h) => squarify(sorted(g), x, y, w, h, (item, left, top, width, height) => {
      if (width < 3 || height < 3 || map.childElementCount >= CELLS) return;
      cell(item, left, top, width, height);
      if (item.g.file === undefined && width > 30 && height > LINE + 12) fill(item.g, left + 2, top + LINE, width - 4, height - LINE - 2);
    });
    fill(zoomed, 0, 0, map.clientWidth, map.clientHeight);
    const crumbs = [];
    for (let at = zoomed; at; at = at.parent) crumbs.unshift(at);
    byId("crumbs").replaceChildren(...crumbs.flatMap((g, i) => [
      i ? " / " : "", g === zoomed ? make("strong", {}, g.name + " (" + bytes(g.size) + ")") : make("button", { onclick: () => zoom(g) }, g.name),
    ]));
  };
  const zoom = (g) => {
    zoomed = g;
    drawMap();
    const first = map.querySelector("button");
    if (first) first.focus({ preventScroll: true });
  };
  // Up is where there is more to see.
  const up = (g) => g.parent && g.parent.parent && g.parent.children.size === 1 ? up(g.parent) : g.parent;
  // The map is one stop of the tab key: arrows move among its cells.
  map.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && zoomed.parent) return zoom(up(zoomed));
    const at = document.activeElement;
    const next = {
      ArrowRight: at.nextElementSibling, ArrowDown: at.nextElementSibling, ArrowLeft: at.previousElementSibling, ArrowUp: at.previousElementSibling,
      Home: map.firstElementChild, End: map.lastElementChild,
    }[e.key];
    if (!next || at.parentElement !== map) return;
    e.preventDefault();
    move(at, next);
  });
  const move = (at, next) => {
    at.tabIndex = -1;
    next.tabIndex = 0;
    next.focus({ preventScroll: true });
  };
  byId("grouping").addEventListener("change", (e) => { tree = grow(e.target.value); zoomed = start(tree); drawMap(); });
  drawMap();
  let drawn = map.clientWidth + " " + map.clientHeight;
  new ResizeObserver(() => {
    const size = map.clientWidth + " " + map.clientHeight;
    if (size !== drawn) { drawn = size; drawMap(); }
  }).observe(map);
  // Choosing a file marks its cell, and leaves the focus where it is.
  views.push(() => {
    const focused = [...map.children].indexOf(document.activeElement);
    drawMap();
    if (focused >= 0) move(map.firstElementChild, map.children[focused]);
  });

  // The graph: a tree of the shortest chains, and dotted lines for the rest.
  const inGraph = (f) => f.w !== UNEXPLAINED && f.t !== "dir" && !f.r;
  const SIBLINGS = 12, NODES = 600, ROW = 20, COLUMN = 300;
  const layOut = () => {
    const brings = new Map(), roots = [];
    files.forEach((f, i) => {
      if (!inGraph(f)) return;
      if (f.w === ROOT) roots.push(i);
      else if (brings.has(f.w)) brings.get(f.w).push(i);
      else brings.set(f.w, [i]);
    });
    const nodes = new Map();
    let row = 0, left = 0;
    const place = (list, depth, parent) => {
      const leaves = list.filter((i) => !brings.has(i)), others = list.filter((i) => brings.has(i));
      const shown = leaves.length > SIBLINGS ? leaves.filter((i, at) => i === chosen || at < SIBLINGS) : leaves;
      for (const i of [...others, ...shown]) {
        if (nodes.size >= NODES) { left++; continue; }
        nodes.set(i, { x: depth * COLUMN + 10, y: row * ROW + 16, parent });
        const next = brings.get(i);
        if (next) place(next, depth + 1, i); else row++;
      }
      if (leaves.length > shown.length) {
        nodes.set("more" + parent, { x: depth * COLUMN + 10, y: row++ * ROW + 16, parent, text: "… and " + (leaves.length - shown.length) + " more" });
      }
    };
    place(roots, 0, ROOT);
    return { nodes, left };
  };
  const drawGraph = () => {
    const { nodes, left } = layOut(), chain = new Set(chosen >= 0 ? chainOf(chosen) : []);
    const space = "http://www.w3.org/2000/svg";
    const shape = (tag, attributes, text) => {
      const e = document.createElementNS(space, tag);
      for (const [name, value] of Object.entries(attributes)) if (value !== undefined) e.setAttribute(name, value);
      if (text !== undefined) e.textContent = text;
      return e;
    };
    let right = 0, bottom = 0;
    for (const n of nodes.values()) { right = Math.max(right, n.x + COLUMN); bottom = Math.max(bottom, n.y + 12); }
    const svg = shape("svg", { width: right, height: bottom, role: "img", "aria-label": nodes.size + " files" });
    const line = (a, b, kind) => svg.append(shape("path", { class: kind, d: `M${a.x + 4},${a.y + 3} C${a.x + 4},${b.y - 4} ${b.x - 40},${b.y - 4} ${b.x - 4},${b.y - 4}` }));
    for (const [i, n] of nodes) {
      if (nodes.has(n.parent)) line(nodes.get(n.parent), n, chain.has(i) ? "on" : undefined);
      if (i === chosen) for (const o of files[i].x || []) if (nodes.has(o)) line(nodes.get(o), n, "other");
    }
    for (const [i, n] of nodes) {
      const name = n.text || files[i].p.split("/").pop();
      const label = shape("text", { x: n.x, y: n.y, class: chain.has(i) ? "on" : undefined }, name.length > 26 ? name.slice(0, 25) + "…" : name);
      if (!n.text) {
        if (files[i].s) label.append(shape("tspan", {}, "  " + bytes(files[i].s)));
        label.append(shape("title", {}, files[i].p + "\n" + reason(files[i])));
        label.addEventListener("click", () => choose(i));
      }
      svg.append(label);
    }
    byId("graph-note").textContent = "Each file stands right of the one that brought it on its shortest chain; dotted lines are further reasons of the chosen one. The table of files tells the same."
      + (left ? " " + nodes.size + " files are drawn, " + left + " more are in the table." : "");
    byId("drawing").replaceChildren(svg);
    // Only the drawing scrolls to the chosen file, the page stays.
    const at = nodes.get(chosen), frame = byId("drawing");
    if (!at) return;
    frame.scrollTop = Math.max(0, at.y - frame.clientHeight / 2);
    frame.scrollLeft = Math.max(0, at.x + 240 - frame.clientWidth);
  };

  // A fingerprint is long: its end tells keys apart, the whole is there to point at.
  const voucherCell = (text) => make("span", { title: text }, text.replace(/\bkey [0-9A-F]{24}([0-9A-F]{16})\b/, "key …$1"));

  // Tables with search and sort; rows are made as they are asked for.
  const PAGE = 200;
  const table = (section, name, columns, rows, key) => {
    if (!rows.length) { byId(section).append(make("p", {}, "None.")); return; }
    let order = 0, down = columns[0].down, shown = PAGE, needle = "";
    const search = make("input", { type: "search", "aria-label": "Search " + name, placeholder: "Search " + name });
    const found = make("span", { class: "quiet", role: "status" });
    const body = make("tbody"), head = make("tr"), more = make("button", { class: "more" }, "Show more");
    const draw = () => {
      const hits = rows.filter((r) => !needle || columns.some((c) => String(c.value(r)).toLowerCase().includes(needle)));
      const value = columns[order].value;
      hits.sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0) * (down ? -1 : 1));
      found.textContent = hits.length + " of " + rows.length;
      body.replaceChildren(...hits.slice(0, shown).map((r) => make("tr", { class: key && key(r) === chosen ? "on" : undefined },
        ...columns.map((c) => make("td", {
          class: ["number", "path", "main", "short", "share"].filter((kind) => c[kind]).join(" ") || undefined,
          style: c.share ? `--share:${(100 * c.value(r) / c.share).toFixed(1)}%` : undefined, "data-name": c.name,
        }, c.show ? c.show(r) : String(c.value(r)))))));
      more.hidden = hits.length <= shown;
      head.replaceChildren(...columns.map((c, i) => make("th", { scope: "col", class: c.number ? "number" : undefined, "aria-sort": i === order ? (down ? "descending" : "ascending") : undefined },
        make("button", { onclick: () => { down = i === order ? !down : c.down; order = i; draw(); head.children[i].firstChild.focus(); } }, c.title + (i === order ? (down ? " ▾" : " ▴") : "")))));
    };
    search.addEventListener("input", () => { needle = search.value.toLowerCase(); shown = PAGE; draw(); });
    more.addEventListener("click", () => { shown += PAGE * 5; draw(); });
    byId(section).append(make("div", { class: "bar" }, search, found), make("div", { class: "scroll" }, make("table", {}, make("thead", {}, head), body)), more);
    draw();
    if (key) views.push(draw);
  };
  const most = (rows, of) => rows.reduce((n, r) => Math.max(n, of(r)), 1);
  table("packages", "packages", [
    { title: "Size", value: (p) => p.size, show: (p) => bytes(p.size), number: true, down: true, share: most(data.packages, (p) => p.size) },
    { title: "Files", value: (p) => p.files, number: true, down: true, name: "files" },
    { title: "Package", value: (p) => p.name, main: true }, { title: "Version", value: (p) => p.version },
    { title: "Vouched for by", value: (p) => p.voucher || "", show: (p) => voucherCell(p.voucher || "") },
  ], data.packages);
  table("files", "files", [
    { title: "Size", value: (f) => f.s, show: (f) => bytes(f.s), number: true, down: true, share: most(files, (f) => f.s) },
    { title: "Path", value: (f) => f.p, path: true, main: true, show: (f) => make("button", { onclick: () => choose(f.i) }, f.p) },
    { title: "Package", value: packageOf, short: true }, { title: "Why", value: reason },
  ], files, (f) => f.i);
  table("suspects", "suspects", [
    { title: "Name", value: (s) => s.name, path: true, main: true }, { title: "In", value: (s) => s.from || "", path: true }, { title: "Why", value: (s) => s.detail || "" },
  ], suspects);
  views.push(drawGraph);
  // The page opens with an example: the largest file.
  const largest = files.reduce((best, f) => f.w !== UNEXPLAINED && (!best || f.s > best.s) ? f : best, undefined);
  if (largest) choose(largest.i); else drawGraph();
})();
