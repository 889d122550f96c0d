// Stands in for what Plot brings for maps, colour schemes and legends, of which the charts have none.

const none = () => undefined;

// projection.js
export { none as createProjection, none as project, none as applyPosition, none as projectionAspectRatio, none as xyProjection };
export const hasProjection = () => false;
export const getGeometryChannels = () => [];

// scales/schemes.js
export { none as ordinalRange, none as ordinalScheme, none as quantitativeScheme, none as maybeBooleanRange };
export const isCategoricalScheme = () => false;
export const isDivergingScheme = () => false;

// legends.js
export { none as legend };
export const createLegends = () => [];
export const exposeLegends = () => none;

// d3-geo
export { none as geoPath, none as geoCentroid, none as geoGraticule10 };
