export { type LayerEntry, LayerError, type LayerErrorCode } from './layer/layer-entry.js';
export { type BlobSink, type LayerResult, writeLayer, type WriteLayerOptions } from './layer/write-layer.js';
export { type LayoutManifest, OciLayout } from './layout.js';
export { type ImageConfig, type ImagePlan, writeImage, type WrittenImage } from './write-image.js';
