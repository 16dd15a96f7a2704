"use strict";
(() => {
  const page = JSON.parse(document.getElementById("data").textContent);
  const host = document.getElementById("charts");
  const buttons = Object.fromEntries([...document.querySelectorAll("[data-act]")].map((one) => [one.dataset.act, one]));
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const DAY = 86400;
  // Daily bars have no hours: between their dates stand days, months and years alone.
  const DAYS = [1, 2, 3, 5, 7, 14, 30, 60, 90, 120, 180, 365, 730, 1825, 3650, 9125, 18250].map((n) => n * DAY);
  let plots = [];
  let range = null;

  function decode(text, wide) {
    const raw = atob(text);
    const bytes = Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    const size = wide ? 8 : 4;
    // An undefined signal travels as NaN; the charting library draws a gap where it finds null.
    return Array.from({ length: bytes.length / size }, (_, i) => {
      const value = wide ? view.getFloat64(i * size, true) : view.getFloat32(i * size, true);
      return Number.isNaN(value) ? null : value;
    });
  }

  const times = decode(page.times, true);
  const ends = [times[0], times[times.length - 1]];
  const air = (ends[1] - ends[0]) * 0.008 || 3 * DAY;
  const full = [ends[0] - air, ends[1] + air];
  // Zoomed in no further than to about five bars.
  const least = Math.min(full[1] - full[0], Math.max((5 * (ends[1] - ends[0])) / times.length, 1));

  for (const chart of page.charts) {
    chart.xs = chart.bars ? decode(chart.bars.x, true) : times;
    for (const one of chart.series) one.ys = decode(one.values, one.wide);
    if (chart.bars) {
      const bar = { label: "P&L", color: "ink", digits: 2, scale: "y", ys: decode(chart.bars.y, true), bars: true };
      chart.series = [bar];
      chart.numbers = decode(chart.bars.number, false);
    }
    for (const group of chart.markers || []) {
      group.xs = decode(group.x, true);
      group.ys = decode(group.y, false);
    }
  }

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const fixed = (v, digits) => {
    const text = Math.abs(v).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    // What rounds to zero has no sign.
    return (v < 0 && /[1-9]/.test(text) ? "−" : "") + text;
  };

  function short(v) {
    const size = Math.abs(v);
    const text = (value, unit) => value.toLocaleString("en-US", { maximumFractionDigits: 3 }).replace("-", "−") + unit;
    if (size >= 1e9) return text(v / 1e9, " bn");
    if (size >= 1e6) return text(v / 1e6, " m");
    if (size >= 1e4) return text(v / 1e3, " k");
    return v.toLocaleString("en-US", { maximumSignificantDigits: 6 }).replace("-", "−");
  }

  const iso = (t) => new Date(t * 1000).toISOString();
  const stamp = (t) => (page.daily ? iso(t).slice(0, 10) : iso(t).slice(0, 16).replace("T", " "));

  function dateTicks(u, splits, axis, space, step) {
    let last = "";
    return splits.map((t) => {
      const [year, month, day] = iso(t).slice(0, 10).split("-");
      if (step >= 300 * DAY) return year;
      const name = MONTHS[month - 1];
      const context = step >= DAY ? year : name + " " + Number(day);
      const isNew = context !== last;
      last = context;
      if (step >= 27 * DAY) return isNew ? name + " " + year : name;
      if (step >= DAY) return name + " " + Number(day) + (isNew ? ", " + year : "");
      return isNew ? context + ", " + iso(t).slice(11, 16) : iso(t).slice(11, 16);
    });
  }

  // Round prices for a logarithmic axis: 1, 2 and 5 over decades, even steps over less.
  function logSplits(u, axis, min, max) {
    const splits = [];
    if (max / min > 8) {
      for (let power = Math.floor(Math.log10(min)); power <= Math.log10(max); power++) {
        for (const digit of [1, 2, 5]) splits.push(Number(digit + "e" + power));
      }
    } else {
      const rough = (max - min) / 7;
      const power = 10 ** Math.floor(Math.log10(rough));
      const step = [1, 2, 5, 10].find((digit) => digit * power >= rough) * power;
      for (let i = Math.ceil(min / step); i * step <= max; i++) splits.push(Number((i * step).toPrecision(12)));
    }
    return splits.filter((v) => v >= min && v <= max);
  }

  function shape(ctx, kind, x, y, size) {
    ctx.beginPath();
    if (kind === "dot") ctx.arc(x, y, size * 0.8, 0, 2 * Math.PI);
    else {
      const way = kind === "up" ? 1 : -1;
      ctx.moveTo(x, y - way * size);
      ctx.lineTo(x + size, y + way * size * 0.8);
      ctx.lineTo(x - size, y + way * size * 0.8);
      ctx.closePath();
    }
  }

  function inside(u, draw) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.setLineDash([]);
    draw(ctx, uPlot.pxRatio);
    ctx.restore();
  }

  function drawMarkers(u, markers) {
    inside(u, (ctx, ratio) => {
      const { min, max } = u.scales.x;
      const count = markers.reduce((n, group) => n + group.xs.filter((t) => t >= min && t <= max).length, 0);
      const size = Math.min(Math.max((0.7 * u.bbox.width) / ratio / Math.max(count, 1), 2.6), 6) * ratio;
      const panel = color("panel");
      for (const group of markers) {
        const own = color(group.color);
        ctx.fillStyle = group.filled ? own : panel;
        // A filled marker has a rim in the color of the panel, so that it stands off its line; where
        // markers are many and small, rims would eat the line up.
        ctx.strokeStyle = group.filled && size > 3.5 * ratio ? panel : own;
        ctx.lineWidth = (group.filled ? 0.8 : size > 3.5 * ratio ? 1.2 : 0.8) * ratio;
        group.xs.forEach((t, i) => {
          if (t < min || t > max || group.ys[i] == null) return;
          shape(ctx, group.shape, u.valToPos(t, "x", true), u.valToPos(group.ys[i], group.scale, true), size);
          ctx.fill();
          ctx.stroke();
        });
      }
    });
  }

  function drawLines(u, lines) {
    inside(u, (ctx, ratio) => {
      ctx.strokeStyle = color("soft");
      ctx.lineWidth = ratio;
      for (const line of lines) {
        const y = u.valToPos(line.value, "y", true);
        ctx.setLineDash(line.dash.map((d) => d * ratio));
        ctx.beginPath();
        ctx.moveTo(u.bbox.left, y);
        ctx.lineTo(u.bbox.left + u.bbox.width, y);
        ctx.stroke();
      }
    });
  }

  function drawBars(u, chart) {
    inside(u, (ctx, ratio) => {
      const { min, max } = u.scales.x;
      const values = chart.series[0].ys;
      const count = chart.xs.filter((t) => t >= min && t <= max).length;
      const width = Math.max(1.2 * ratio, Math.min(12 * ratio, (u.bbox.width / Math.max(count, 1)) * 0.5));
      const zero = u.valToPos(0, "y", true);
      chart.xs.forEach((t, i) => {
        if (t < min || t > max) return;
        const y = u.valToPos(values[i], "y", true);
        ctx.fillStyle = color(values[i] > 0 ? "gain" : "loss");
        ctx.fillRect(u.valToPos(t, "x", true) - width / 2, Math.min(y, zero), width, Math.max(Math.abs(zero - y), ratio));
      });
      ctx.fillStyle = color("soft");
      ctx.fillRect(u.bbox.left, zero - ratio / 2, u.bbox.width, ratio);
    });
  }

  function show(min, max) {
    const width = Math.min(Math.max(max - min, least), full[1] - full[0]);
    const begin = Math.min(Math.max(min, full[0]), full[1] - width);
    range = [begin, begin + width];
    for (const plot of plots) {
      plot.setScale("x", { min: range[0], max: range[1] });
      if (plot.cursor.idx == null) plot.setLegend({ idx: null }, false);
    }
    buttons.earlier.disabled = range[0] <= full[0];
    buttons.later.disabled = range[1] >= full[1];
    buttons.nearer.disabled = width <= least;
    buttons.farther.disabled = buttons.all.disabled = width >= full[1] - full[0];
  }

  function act(name) {
    const [min, max] = range;
    const width = max - min;
    if (name === "all") show(...full);
    else if (name === "earlier") show(min - width / 4, max - width / 4);
    else if (name === "later") show(min + width / 4, max + width / 4);
    else if (name === "nearer") show(min + width / 4, max - width / 4);
    else if (name === "farther") show(min - width / 2, max + width / 2);
  }

  const KEYS = { ArrowLeft: "earlier", ArrowRight: "later", "+": "nearer", "=": "nearer", "-": "farther", 0: "all", Escape: "all" };

  function padded(levels) {
    return (u, min, max) => {
      const found = [...(min == null ? [] : [min, max]), ...levels];
      if (!found.length) return [0, 1];
      const low = Math.min(...found);
      const high = Math.max(...found);
      const pad = (high - low || Math.abs(high) || 1) * 0.06;
      return [low - pad, high + pad];
    };
  }

  // A little air instead of whole powers of ten, which would squeeze the lines together.
  const logRange = (u, min, max) => (min == null ? [1, 10] : [min / 1.12, max * 1.12]);
  const downRange = (u, min) => (min == null || min === 0 ? [-1, 0.05] : [min * 1.08, -min * 0.03]);

  function valueRange(chart) {
    if (chart.log) return { distr: 3, range: logRange };
    if (chart.down) return { range: downRange };
    return { range: padded(chart.bars ? [0] : (chart.lines || []).map((line) => line.value)) };
  }

  // With no cursor on the chart the legend tells the last values in view.
  function lastShown(chart) {
    const end = range ? range[1] : full[1];
    return chart.xs.findLastIndex((t) => t <= end);
  }

  function seriesOf(chart) {
    const dates = {
      label: "date",
      value: (u, t, _, i) => {
        const at = i ?? lastShown(chart);
        if (at < 0) return "–";
        return stamp(chart.xs[at]) + (chart.bars ? ", no. " + chart.numbers[at] : "");
      },
    };
    const lines = chart.series.map((one) => ({
      label: one.label,
      scale: one.scale,
      stroke: color(one.color),
      width: one.width || 1.5,
      dash: one.dash,
      fill: one.fill ? color(one.color) + "26" : undefined,
      show: !one.hidden,
      value: (u, v, s, i) => {
        const shown = one.ys[i ?? lastShown(chart)];
        return shown == null ? "–" : fixed(shown, one.digits) + (one.unit || "");
      },
      paths: one.bars ? () => null : undefined,
      points: { show: !one.bars && one.ys.length < 3 },
    }));
    return [dates, ...lines];
  }

  function axesOf(chart, sideAxis) {
    const common = {
      grid: { stroke: color("grid"), width: 1 },
      ticks: { stroke: color("rule"), width: 1, size: 4 },
      font: "12px system-ui, sans-serif",
      stroke: color("soft"),
    };
    const texts = (_, values) => values.map((v) => (v == null ? "" : short(v) + (chart.unit || "")));
    const right = chart.series.find((one) => one.scale === "y2");
    const value = { ...common, scale: "y", size: sideAxis, values: texts, space: 34 };
    if (chart.log) Object.assign(value, { splits: logSplits, filter: (u, splits) => splits });
    // Years are short words; months and days need more room.
    const space = (u, axis, min, max) => (max - min > 6 * 365 * DAY ? 48 : u.width < 520 ? 66 : 80);
    const axes = [{ ...common, size: 30, space, values: dateTicks }, value];
    if (page.daily) axes[0].incrs = DAYS;
    if (right) {
      value.stroke = color(chart.series[0].color);
      axes.push({ ...value, scale: "y2", side: 1, stroke: color(right.color), grid: { show: false } });
    }
    return axes;
  }

  const hasTwo = (chart) => chart.series.some((one) => one.scale === "y2");

  function optionsOf(chart, width) {
    const narrow = width < 520;
    const sideAxis = narrow ? 56 : 64;
    const scales = { x: { time: true }, y: valueRange(chart) };
    if (hasTwo(chart)) scales.y2 = valueRange(chart);
    return {
      width,
      height: narrow ? Math.round(chart.height * 0.8) : chart.height,
      series: seriesOf(chart),
      scales,
      axes: axesOf(chart, sideAxis),
      // Room where another chart has its second axis, so that the same day stands at the same place.
      padding: [10, hasTwo(chart) ? 0 : page.charts.some(hasTwo) ? sideAxis : 14, 0, 0],
      tzDate: (t) => uPlot.tzDate(new Date(t * 1000), "UTC"),
      cursor: {
        sync: { key: "report", setSeries: false },
        drag: { x: true, y: false },
        points: { size: 6, show: !chart.bars },
        bind: { dblclick: () => () => (show(...full), null) },
      },
      legend: { live: true, isolate: false, markers: { dash: (u, i) => ((chart.series[i - 1].dash || []).length ? "dashed" : "solid") } },
      hooks: {
        setScale: [
          (u, name) => {
            const { min, max } = u.scales.x;
            if (name === "x" && plots.includes(u) && (min !== range[0] || max !== range[1])) show(min, max);
          },
        ],
        setSeries: [(u, i) => i && (chart.series[i - 1].hidden = !u.series[i].show)],
        draw: [
          (u) => {
            if (chart.lines) drawLines(u, chart.lines);
            if (chart.bars) drawBars(u, chart);
            if (chart.markers) drawMarkers(u, chart.markers);
          },
        ],
      },
    };
  }

  // Only a line that may be missed has a switch; it works by keyboard too.
  function bindLegend(chart, plot) {
    plot.root.querySelectorAll(".u-legend .u-series").forEach((row, i) => {
      const label = row.querySelector("th");
      const one = chart.series[i - 1];
      if (!one || !one.toggle) return label.addEventListener("click", (event) => event.stopImmediatePropagation(), true);
      label.classList.add("u-toggle");
      label.tabIndex = 0;
      label.setAttribute("role", "button");
      const tell = () => label.setAttribute("aria-pressed", String(!one.hidden));
      tell();
      label.addEventListener("click", () => setTimeout(tell));
      label.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation();
        label.click();
      });
    });
  }

  // Figures are made once, so that the one in focus stays in focus when charts are drawn anew.
  const boxes = page.charts.map((chart) => {
    const box = document.createElement("figure");
    box.className = "chart";
    box.tabIndex = 0;
    const caption = document.createElement("figcaption");
    const title = document.createElement("h3");
    title.textContent = chart.title;
    const note = document.createElement("p");
    note.className = "note";
    note.textContent = chart.note;
    caption.append(title, note);
    box.append(caption);
    box.addEventListener("keydown", (event) => {
      const name = KEYS[event.key];
      if (!name || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act(name);
    });
    host.append(box);
    return box;
  });

  function build(fixedWidth) {
    for (const plot of plots) plot.destroy();
    plots = [];
    const kept = range || full;
    page.charts.forEach((chart, i) => {
      const style = getComputedStyle(boxes[i]);
      const room = boxes[i].clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
      const width = Math.max(fixedWidth || room, 240);
      const plot = new uPlot(optionsOf(chart, width), [chart.xs, ...chart.series.map((one) => one.ys)], boxes[i]);
      const drawn = plot.root.querySelector(".u-wrap");
      drawn.setAttribute("role", "img");
      drawn.setAttribute("aria-label", chart.title + ". " + chart.note);
      bindLegend(chart, plot);
      plots.push(plot);
    });
    show(...kept);
  }

  build();
  for (const [name, button] of Object.entries(buttons)) button.addEventListener("click", () => act(name));
  let lastWidth = host.clientWidth;
  new ResizeObserver(() => {
    if (host.clientWidth === lastWidth || document.documentElement.classList.contains("printing")) return;
    lastWidth = host.clientWidth;
    requestAnimationFrame(() => build());
  }).observe(host);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => build());
  // Paper is white and of its own width, whatever the screen was.
  addEventListener("beforeprint", () => {
    document.documentElement.classList.add("printing");
    build(640);
  });
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove("printing");
    build();
  });
})();
