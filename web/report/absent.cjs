// Stands in for what Plot and D3 bring and no chart of ours reaches. Here is what they ask of it on their way, answered
// as for a plot that has none of it. Every other name may be imported too (this is CommonJS) and is undefined: a chart
// that came to need one would not be drawn.

const none = () => undefined;
const between = (a, b) => (t) => a * (1 - t) + b * t;

Object.assign(exports, {
  // curve.js: the charts give curves themselves
  maybeCurve: (curve) => curve,
  maybeCurveAuto: (curve) => curve,
  // facet.js
  createFacets: none,
  maybeFacetAnchor: none,
  // legends.js
  createLegends: () => [],
  exposeLegends: () => none,
  // marker.js
  markers: none,
  applyMarkers: none,
  applyGroupedMarkers: none,
  // projection.js
  createProjection: none,
  // d3-interpolate: the scales are of numbers alone
  interpolate: between,
  interpolateNumber: between,
  // d3-time-format: scales make formats; the charts bring their own
  utcFormat: none,
});
