"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const WIDTH = 380, HEIGHT = 130, LEFT = 50, RIGHT = 8, TOP = 14, BOTTOM = 18;
  const NS = "http://www.w3.org/2000/svg";
  const holder = document.getElementById("rows");

  const make = (name, of, text) => {
    const node = document.createElement(name);
    if (of) node.className = of;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const draw = (name, attributes, text) => {
    const node = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const shown = (value) => {
    const size = Math.abs(value);
    if (size === 0) return "0";
    if (size >= 1e6) return value.toPrecision(4);
    return value.toLocaleString("en", { maximumSignificantDigits: size >= 1000 ? Math.ceil(Math.log10(size)) : 4 });
  };
  const when = (entry) => (data.entries[entry].at || "time unknown").slice(0, 10);

  // A figure of one machine is joined only with the next entry's figure of the same machine.
  const stretches = (points) => {
    const found = [];
    for (const point of points) {
      const last = found[found.length - 1];
      if (last && data.entries[last[0].entry].machine === data.entries[point.entry].machine) last.push(point);
      else found.push([point]);
    }
    return found;
  };

  const chart = (points, unit, say) => {
    const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `History in ${unit}` });
    let low = Infinity, high = -Infinity;
    for (const point of points) { low = Math.min(low, point.low); high = Math.max(high, point.high); }
    const air = (high - low) * 0.08 || Math.abs(high) * 0.05 || 1;
    if (low >= 0 && low - air < 0) low = air;
    low -= air; high += air;
    const n = data.entries.length;
    const x = (entry) => n > 1 ? LEFT + (WIDTH - LEFT - RIGHT) * entry / (n - 1) : (LEFT + WIDTH - RIGHT) / 2;
    const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low);
    const at = (entry, value) => `${x(entry).toFixed(1)},${y(value).toFixed(1)}`;
    for (const part of [0.08, 0.5, 0.92]) {
      const level = low + (high - low) * part;
      svg.append(draw("line", { class: "level", x1: LEFT, x2: WIDTH - RIGHT, y1: y(level), y2: y(level) }));
      svg.append(draw("text", { class: "tick", x: LEFT - 5, y: y(level) + 3, "text-anchor": "end" }, shown(+level.toPrecision(3))));
    }
    stretches(points).forEach((stretch, place) => {
      const first = stretch[0];
      if (place > 0) {
        svg.append(draw("line", { class: "moved", x1: x(first.entry), x2: x(first.entry), y1: TOP, y2: HEIGHT - BOTTOM }));
        svg.append(draw("text", { class: "moved-name", x: x(first.entry), y: TOP - 4, "text-anchor": "middle" },
          `M${data.entries[first.entry].machine + 1}`));
      }
      if (stretch.length > 1) {
        const upper = stretch.map((point) => at(point.entry, point.high));
        const lower = stretch.map((point) => at(point.entry, point.low)).reverse();
        svg.append(draw("polygon", { class: "band", points: [...upper, ...lower].join(" ") }));
        svg.append(draw("polyline", { class: "line", points: stretch.map((point) => at(point.entry, point.value)).join(" ") }));
      } else {
        svg.append(draw("rect", { class: "band", x: x(first.entry) - 3, width: 6, y: y(first.high), height: Math.max(y(first.low) - y(first.high), 1) }));
      }
      const dots = n <= 60 ? stretch : [stretch[stretch.length - 1]];
      for (const point of dots) svg.append(draw("circle", { class: "dot", cx: x(point.entry), cy: y(point.value), r: 2 }));
    });
    svg.append(draw("text", { class: "tick", x: LEFT, y: HEIGHT - 4 }, when(0)));
    if (n > 1) svg.append(draw("text", { class: "tick", x: WIDTH - RIGHT, y: HEIGHT - 4, "text-anchor": "end" }, when(n - 1)));
    const here = draw("line", { class: "here", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden" });
    svg.append(here);
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const across = (event.clientX - box.left) * WIDTH / box.width;
      let near = points[0];
      for (const point of points) if (Math.abs(x(point.entry) - across) < Math.abs(x(near.entry) - across)) near = point;
      here.setAttribute("x1", x(near.entry)); here.setAttribute("x2", x(near.entry));
      here.setAttribute("visibility", "visible");
      say(near);
    });
    svg.addEventListener("pointerleave", () => { here.setAttribute("visibility", "hidden"); say(points[points.length - 1]); });
    return svg;
  };

  const change = (points, more) => {
    const last = points[points.length - 1];
    const machine = data.entries[last.entry].machine;
    const before = points.slice(0, -1).reverse().find((point) => data.entries[point.entry].machine === machine);
    if (!before || before.value === 0) return make("small", "flat", "no figure before it on this machine");
    const part = last.value / before.value - 1;
    const apart = last.low > before.high || last.high < before.low;
    const kind = !apart ? "flat" : (part > 0) === more ? "gain" : "loss";
    const text = `${part < 0 ? "−" : "+"}${(Math.abs(part) * 100).toFixed(1)} %`;
    return make("small", kind, apart ? text : `${text}, within the noise`);
  };

  const cards = data.rows.map((row) => {
    const points = [];
    row.v.forEach((value, place) => {
      if (value === null) return;
      const low = row.l[place], high = row.h[place];
      points.push({ entry: row.from + place, value, low: low === null ? value : low, high: high === null ? value : high });
    });
    const card = make("article", "row");
    card.append(make("h3", "", row.name));
    const what = make("p", "what", row.what);
    what.title = row.what;
    card.append(what);
    const at = make("p", "at");
    if (points.length) {
      const now = make("p", "now", `${shown(points[points.length - 1].value)} ${row.unit}`);
      now.append(change(points, row.more));
      const say = (point) => {
        const entry = data.entries[point.entry];
        at.textContent = `${entry.commit || "no commit"}, ${entry.at || "time unknown"}: ${shown(point.value)} ${row.unit} ` +
          `(${shown(point.low)} to ${shown(point.high)}), machine ${entry.machine + 1}`;
      };
      card.append(now, chart(points, row.unit, say), at);
      say(points[points.length - 1]);
    } else {
      card.append(make("p", "now", "not measured"));
    }
    holder.append(card);
    return [card, `${row.name} ${row.what} ${row.unit}`.toLowerCase()];
  });

  const find = document.getElementById("find"), count = document.getElementById("count");
  const search = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const [card, text] of cards) {
      card.hidden = !words.every((word) => text.includes(word));
      left += card.hidden ? 0 : 1;
    }
    count.textContent = `${left} of ${cards.length} rows`;
  };
  find.addEventListener("input", search);
  search();
})();
