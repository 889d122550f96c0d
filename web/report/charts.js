// Draws the charts of the report from the data that stands in the page. Texts are set as text, never as markup; a chart
// that cannot be drawn leaves its sentence in place. The table beside it holds the same numbers.

import { area, axisX, axisY, dot, gridY, line, plot, pointer, rect, ruleX, ruleY, text, tip } from '@observablehq/plot';
import { quantile } from 'd3-array';
import { curveMonotoneX } from 'd3-shape';

const data = JSON.parse(document.getElementById('report-data').textContent);
const count = new Intl.NumberFormat(data.language, { notation: 'compact', maximumFractionDigits: 1, useGrouping: true });
const whole = new Intl.NumberFormat(data.language);
const DAY = 24 * 3600e3;
const STYLE = { className: 'plot', marginTop: 18, marginRight: 16, marginLeft: 48, marginBottom: 34 };

// As fine as the ticks stand: two of them never read the same.
function dates([first, last], ticks) {
  const step = (last - first) / ticks;
  const parts = step > 300 * DAY ? { year: 'numeric' } : step > 27 * DAY ? { year: 'numeric', month: 'short' } : { month: 'short', day: 'numeric' };
  const form = new Intl.DateTimeFormat(data.language, { timeZone: 'UTC', ...parts });
  return (ms) => form.format(ms);
}

// Powers of ten, with 2 and 5 between them where the range is short.
function ticks(low, high) {
  const steps = Math.log10(high / low) > 2.5 ? [1] : Math.log10(high / low) > 1.2 ? [1, 3] : [1, 2, 5];
  const all = [];
  for (let k = Math.floor(Math.log10(low)); k <= Math.ceil(Math.log10(high)); k += 1) {
    for (const step of steps) all.push(step * 10 ** k);
  }
  return all.filter((tick) => tick >= low && tick <= high);
}

function range(values, slack) {
  return [Math.max(0.8, Math.min(...values) / slack), Math.max(...values) * slack];
}

// For each work the quartiles of those around it, at most so many.
function moving(list, most) {
  return list.map(({ ms }, i) => {
    const near = list.slice(Math.max(0, i - (most >> 1)), i + (most >> 1) + 1).map((work) => work.value);
    const [low, middle, high] = [0.25, 0.5, 0.75].map((part) => quantile(near, part));
    return { ms, low, middle, high };
  });
}

const works = data.works.map(([ms, value, title, top, ripe, note]) => ({ ms, value, title, top, ripe, note }));

const CHARTS = {
  timeline(width) {
    const ripe = works.filter((work) => work.ripe);
    const y = range(works.map((work) => work.value), 1.5);
    const first = Math.min(...works.map((work) => work.ms));
    const last = Math.max(...works.map((work) => work.ms));
    const many = Math.max(3, Math.floor(width / 130));
    const pad = Math.max((last - first) * 0.02, 12 * 3600e3);
    const around = moving(ripe, data.window);
    return plot({
      ...STYLE, width, height: width < 500 ? 260 : 340,
      x: { type: 'utc', domain: [first - pad, last + pad] },
      y: { type: 'log', domain: y },
      marks: [
        gridY(ticks(...y), { strokeOpacity: 0.12 }),
        axisY(ticks(...y), { tickFormat: (v) => count.format(v), tickSize: 0, label: null }),
        axisX({ ticks: many, tickFormat: dates([first, last], many), tickSize: 4, label: null }),
        ...(data.window ? [
          area(around, { x1: 'ms', y1: 'low', y2: 'high', fill: 'var(--band)', curve: curveMonotoneX }),
          line(around, { x: 'ms', y: 'middle', stroke: 'var(--ink)', strokeWidth: 1.5, curve: curveMonotoneX }),
        ] : data.median ? [ruleY([data.median], { stroke: 'var(--ink)', strokeWidth: 1.5 })] : []),
        dot(ripe.filter((work) => !work.top), { x: 'ms', y: 'value', r: works.length > 400 ? 2 : 3.2, fill: 'var(--dot)', fillOpacity: 0.7 }),
        dot(works.filter((work) => !work.ripe), { x: 'ms', y: 'value', r: 3.2, stroke: 'var(--dot)', fill: 'var(--surface)' }),
        dot(ripe.filter((work) => work.top), { x: 'ms', y: 'value', r: works.length > 400 ? 2.6 : 4, fill: 'var(--accent)' }),
        tip(works, pointer({
          x: 'ms', y: 'value', lineWidth: 22, textPadding: 10, fontSize: 12, lineHeight: 1.4, fill: 'var(--surface)', stroke: 'var(--rule)',
          pathFilter: 'none', title: (work) => `${work.title}\n${whole.format(work.value)}${work.note}`,
        })),
      ],
    });
  },

  distribution(width) {
    const { values } = data;
    const step = values.length > 60 ? 6 : values.length > 25 ? 4 : 3; // bins in a factor of ten
    const low = Math.floor(Math.log10(Math.min(...values)) * step);
    const high = Math.floor(Math.log10(Math.max(...values)) * step) + 1;
    const edges = Array.from({ length: high - low + 1 }, (_, i) => 10 ** ((low + i) / step));
    const x = [edges[0], edges.at(-1)];
    const within = (from, to) => values.filter((value) => value >= from && value < to).length;
    const bins = edges.slice(1).map((to, i) => ({ from: edges[i], to, n: within(edges[i], to) })).filter((bin) => bin.n);
    const marks = [[data.median, data.labels.median], [data.p90, data.labels.p90]].filter(([value]) => value > 0);
    return plot({
      ...STYLE, width, height: 280, marginTop: 40, marginLeft: 34,
      x: { type: 'log', domain: x },
      y: { nice: true },
      marks: [
        gridY({ strokeOpacity: 0.12, interval: undefined, ticks: 4 }),
        axisY({ ticks: 4, tickFormat: (v) => (Number.isInteger(v) ? whole.format(v) : ''), tickSize: 0, label: null }),
        axisX(ticks(...x), { tickFormat: (v) => count.format(v), tickSize: 4, label: null }),
        rect(bins, { x1: 'from', x2: 'to', y1: () => 0, y2: 'n', fill: 'var(--dot)', insetLeft: 1, insetRight: 1 }),
        ruleX(marks, { x: (m) => m[0], stroke: 'var(--accent)', strokeWidth: 1.5, insetTop: -6 }),
        text(marks, {
          x: (m) => m[0], frameAnchor: 'top', dy: (-10), lineAnchor: 'bottom', fill: 'var(--accent)', fontSize: 12,
          text: (m) => m[1],
        }),
      ],
    });
  },
};

function draw(place) {
  const width = Math.floor(place.clientWidth);
  if (!width || width === Number(place.dataset.width)) return;
  const svg = CHARTS[place.dataset.chart](width);
  // The page's own style sheet does what these do; the policy of the page allows no other.
  for (const style of svg.querySelectorAll('style')) style.remove();
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', place.dataset.label);
  for (const part of svg.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label');
  place.replaceChildren(svg);
  place.dataset.width = width;
}

const watch = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    try {
      draw(target);
    } catch (error) {
      console.error(error);
    }
  }
});
for (const place of document.querySelectorAll('[data-chart]')) watch.observe(place);
