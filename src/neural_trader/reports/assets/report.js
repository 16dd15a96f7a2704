"use strict";
(() => {
  const page = JSON.parse(document.getElementById("data").textContent);
  const host = document.getElementById("charts");
  const reset = document.getElementById("reset");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const key = "report";
  let plots = [];
  let span = null;

  function decode(text, wide) {
    const raw = atob(text);
    const bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    // An undefined signal travels as NaN; the charting library draws a gap where it finds null.
    const values = wide ? new Float64Array(bytes.buffer) : new Float32Array(bytes.buffer);
    return Array.from(values, (v) => (Number.isNaN(v) ? null : v));
  }

  const times = decode(page.times, true);
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const format = (digits) => (_, v) =>
    v == null ? "–" : v.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const short = (v) => {
    const size = Math.abs(v);
    if (size >= 1e9) return (v / 1e9).toLocaleString("en-US") + " bn";
    if (size >= 1e6) return (v / 1e6).toLocaleString("en-US") + " m";
    if (size >= 1e4) return (v / 1e3).toLocaleString("en-US") + " k";
    return v.toLocaleString("en-US", { maximumFractionDigits: size < 1 ? 3 : 2 });
  };
  const utc = (seconds) => new Date(seconds * 1000).toISOString();
  const daily = times.every((t) => t % 86400 > 86398);
  const stamp = (t) => (t == null ? "–" : daily ? utc(t).slice(0, 10) : utc(t).slice(0, 16).replace("T", " "));

  function shape(ctx, kind, x, y, size) {
    ctx.beginPath();
    if (kind === "dot") ctx.arc(x, y, size * 0.8, 0, 2 * Math.PI);
    else {
      const way = kind === "up" ? 1 : -1;
      ctx.moveTo(x, y - way * size);
      ctx.lineTo(x + size, y + way * size);
      ctx.lineTo(x - size, y + way * size);
      ctx.closePath();
    }
  }

  function drawMarkers(u, markers) {
    const { ctx } = u;
    const ratio = devicePixelRatio || 1;
    ctx.save();
    ctx.beginPath();
    ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
    ctx.clip();
    ctx.lineWidth = 1.2 * ratio;
    const { min, max } = u.scales.x;
    const inView = markers.reduce((n, group) => n + group.xs.filter((t) => t >= min && t <= max).length, 0);
    const size = (inView > 200 ? 3 : inView > 80 ? 4 : 5.5) * ratio;
    for (const group of markers) {
      ctx.strokeStyle = color(group.color);
      ctx.fillStyle = group.filled ? color(group.color) : color("panel");
      group.xs.forEach((t, i) => {
        if (t < min || t > max || group.ys[i] == null) return;
        shape(ctx, group.shape, u.valToPos(t, "x", true), u.valToPos(group.ys[i], group.scale, true), size);
        ctx.fill();
        ctx.stroke();
      });
    }
    ctx.restore();
  }

  function drawLines(u, lines) {
    const { ctx } = u;
    const ratio = devicePixelRatio || 1;
    ctx.save();
    ctx.strokeStyle = color("soft");
    ctx.lineWidth = ratio;
    for (const line of lines) {
      const y = u.valToPos(line.value, "y", true);
      if (y < u.bbox.top || y > u.bbox.top + u.bbox.height) continue;
      ctx.setLineDash(line.dash.map((d) => d * ratio));
      ctx.beginPath();
      ctx.moveTo(u.bbox.left, y);
      ctx.lineTo(u.bbox.left + u.bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }

  function axis(more) {
    return Object.assign(
      {
        stroke: color("soft"),
        grid: { stroke: color("grid"), width: 1 },
        ticks: { stroke: color("rule"), width: 1, size: 4 },
        font: "12px system-ui, sans-serif",
      },
      more,
    );
  }

  function zoomed(u) {
    const { min, max } = u.scales.x;
    if (min == null || (span && span[0] === min && span[1] === max)) return;
    span = [min, max];
    for (const other of plots) {
      if (other !== u) other.setScale("x", { min, max });
    }
    reset.disabled = min <= times[0] && max >= times[times.length - 1];
  }

  function barsPath(values) {
    return (u, index) => {
      const up = new Path2D();
      const ratio = devicePixelRatio || 1;
      const shownTimes = u.data[0];
      const zero = u.valToPos(0, "y", true);
      const width = Math.max(1.5 * ratio, Math.min(9 * ratio, (u.bbox.width / Math.max(values.length, 1)) * 0.5));
      for (let i = 0; i < shownTimes.length; i++) {
        const value = u.data[index][i];
        if (value == null) continue;
        const x = u.valToPos(shownTimes[i], "x", true);
        const y = u.valToPos(value, "y", true);
        up.rect(x - width / 2, Math.min(y, zero), width, Math.max(Math.abs(zero - y), ratio));
      }
      return { stroke: null, fill: up, flags: 2 };
    };
  }

  const hasTwo = (chart) => chart.series.some((one) => one.scale === "y2");

  function describe(chart, box) {
    const width = Math.max(box.clientWidth - 20, 240);
    const narrow = width < 520;
    const sideAxis = narrow ? 46 : 62;
    const series = [{ label: "date", value: (_, t) => stamp(t) }];
    const data = [times];
    for (const one of chart.series) {
      one.decoded ??= decode(one.values, one.wide);
      data.push(one.decoded);
      series.push({
        label: one.label,
        scale: one.scale,
        stroke: color(one.color),
        width: one.width || 1.5,
        dash: one.dash,
        fill: one.fill ? color(one.color) + "2e" : undefined,
        show: !one.hidden,
        value: format(one.digits),
        points: { show: times.length < 3 },
        spanGaps: false,
      });
    }
    if (chart.bars) {
      const xs = decode(chart.bars.x, true);
      const ys = decode(chart.bars.y, true);
      data[0] = xs;
      for (const [label, name, keep] of [["gain", "gain", (v) => v > 0], ["loss", "loss", (v) => v <= 0]]) {
        data.push(ys.map((v) => (keep(v) ? v : null)));
        series.push({
          label,
          scale: "y",
          stroke: color(name),
          fill: color(name),
          paths: barsPath(xs),
          points: { show: false },
          value: format(2),
        });
      }
    }
    const two = hasTwo(chart);
    const distr = chart.log ? 3 : 1;
    const left = chart.series.find((one) => one.scale === "y");
    const right = chart.series.find((one) => one.scale === "y2");
    const tall = narrow ? Math.round(chart.height * 0.8) : chart.height;
    const levels = (chart.lines || []).map((line) => line.value);
    const ranged = (values) => (u, min, max) => {
      if (min == null) return [0, 1];
      for (const value of values) {
        min = Math.min(min, value);
        max = Math.max(max, value);
      }
      const pad = (max - min || Math.abs(max) || 1) * 0.06;
      return [min - pad, max + pad];
    };
    // A little air instead of whole powers of ten, which would squeeze the lines together.
    const logRange = (u, min, max) => (min == null ? [1, 10] : [min / 1.12, max * 1.12]);
    const scales = { x: { time: true }, y: chart.log ? { distr, range: logRange } : { distr } };
    if (levels.length) scales.y.range = ranged(levels);
    if (chart.bars) scales.y.range = ranged([0]);
    if (two) scales.y2 = chart.log ? { distr, range: logRange } : { distr };
    const ticks = (_, values) => values.map((v) => (v == null ? "" : short(v)));
    const axes = [
      axis({}),
      axis({ scale: "y", size: sideAxis, values: ticks, stroke: two ? color(left.color) : color("soft") }),
    ];
    if (two) {
      axes.push(
        axis({ scale: "y2", side: 1, size: sideAxis, values: ticks, stroke: color(right.color), grid: { show: false } }),
      );
    }
    return [
      {
        width,
        height: tall,
        series,
        scales,
        axes,
        // Room where another chart has its second axis, so that the same day stands at the same place.
        padding: [null, two || !page.charts.some(hasTwo) ? null : sideAxis, null, null],
        tzDate: (t) => uPlot.tzDate(new Date(t * 1000), "UTC"),
        cursor: {
          sync: chart.bars ? undefined : { key, setSeries: false },
          drag: { x: true, y: false },
          points: { size: 6 },
        },
        legend: { live: true },
        hooks: {
          setScale: [(u, name) => name === "x" && plots.includes(u) && zoomed(u)],
          draw: [
            (u) => {
              if (chart.lines) drawLines(u, chart.lines);
              if (chart.markers) {
                for (const group of chart.markers) {
                  group.xs ??= decode(group.x, true);
                  group.ys ??= decode(group.y, false);
                }
                drawMarkers(u, chart.markers);
              }
            },
          ],
        },
      },
      data,
    ];
  }

  function build() {
    for (const plot of plots) plot.destroy();
    plots = [];
    const kept = span;
    span = null;
    host.replaceChildren();
    for (const chart of page.charts) {
      const box = document.createElement("figure");
      box.className = "chart";
      box.style.marginInline = "0";
      const title = document.createElement("h3");
      title.textContent = chart.title;
      const note = document.createElement("p");
      note.className = "note";
      note.textContent =
        chart.note + (chart.legend ? (chart.note ? "; " : "") + "▲ bought, ▼ sold; filled: entry, hollow: exit" : "");
      box.append(title, note);
      host.append(box);
      const [options, data] = describe(chart, box);
      const plot = new uPlot(options, data, box);
      plot.root.setAttribute("role", "img");
      plot.root.setAttribute("aria-label", chart.title + ". " + chart.note);
      plots.push(plot);
    }
    // One range of time for all: the bars of the round trips would else begin at the first of them.
    const all = kept || [times[0], times[times.length - 1]];
    for (const plot of plots) plot.setScale("x", { min: all[0], max: all[1] });
    for (const plot of plots) plot.over.addEventListener("dblclick", (event) => { event.stopImmediatePropagation(); showAll(); }, true);
  }

  function showAll() {
    span = null;
    for (const plot of plots) plot.setScale("x", { min: times[0], max: times[times.length - 1] });
  }

  build();
  let lastWidth = host.clientWidth;
  new ResizeObserver(() => {
    if (host.clientWidth === lastWidth) return;
    lastWidth = host.clientWidth;
    requestAnimationFrame(build);
  }).observe(host);
  dark.addEventListener("change", build);
  reset.addEventListener("click", showAll);
})();
