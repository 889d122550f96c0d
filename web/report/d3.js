// D3 as far as the charts reach it through Plot.

export * from './absent.cjs';
export { ascending, descending, extent, group, InternMap, InternSet, max, min, quantile, range, rollups, ticks } from 'd3-array';
export { pathRound } from 'd3-path';
export { scaleIdentity, scaleLinear, scaleLog, scaleUtc } from 'd3-scale';
export { creator, namespaces, pointer, select } from 'd3-selection';
export { area, line, symbolCircle } from 'd3-shape';
