// D3 as far as Plot may use it here: without what moves, drags, loads or draws maps.

export * from 'd3-array';
export * from 'd3-axis';
export * from 'd3-color';
export * from 'd3-contour';
export * from 'd3-delaunay';
export * from 'd3-format';
export * from 'd3-hierarchy';
export * from 'd3-interpolate';
export * from 'd3-path';
export * from 'd3-quadtree';
export * from 'd3-random';
export * from 'd3-scale';
export * from 'd3-selection';
export * from 'd3-shape';
export * from 'd3-time';
export * from 'd3-time-format';
export { geoCentroid, geoGraticule10, geoPath } from './absent.js';
